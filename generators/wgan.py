"""A critic instead of a discriminator: its scores on real and generated images differ by a Wasserstein distance.

Paper: Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN": weights clipped after each step, five critic steps, RMSProp.
Deviations: Adam without momentum of the gradient (beta1 = 0) takes RMSProp's place; what is said in `_duel.py`.
"""

from typing import Literal

import torch
from pydantic import PositiveFloat, PositiveInt

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.latents import Latents
from sandbox.generators._adversarial.regularizers import PackedRegularizers, Regularizers
from sandbox.generators._adversarial.training import AdversarialTrainer, Decay
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import Backbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import WASSERSTEIN
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig

_ADAM = Adam(lr=5e-5, betas=(0.0, 0.99))


class WGANConfig(GeneratorConfig):
    """`latent_size`: Z; `average_decay` and `discriminator_steps`: to an update of the generator.

    `clip`: the critic's weights stay within this, either way.
    """

    name: Literal["wgan"] = "wgan"
    backbone: Backbone = Strided(normalization="none")
    latent_size: PositiveInt = 100
    average_decay: Decay = 0.999
    clip: PositiveFloat = 0.01
    discriminator_steps: PositiveInt = 5
    discriminator_optimizer: AnyOptimizer = _ADAM
    generator_optimizer: AnyOptimizer = _ADAM
    regularizers: PackedRegularizers = Regularizers()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "WGAN":
        return WGAN(self, spec, rng, compute)


class WGAN:
    """Two networks, two optimisers: first the discriminator moves, then the generator."""

    def __init__(self, config: WGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        with rng.initializing("wgan/discriminator"):
            discriminator = Discriminator(config.backbone, spec.shape, config.regularizers)
        with rng.initializing("wgan/generator"):
            generator = mirror(config.backbone, config.latent_size, spec.shape)
        self._clip = config.clip
        self._noise = Latents(config.latent_size, rng, compute)
        self._duel = AdversarialTrainer(config, WASSERSTEIN, generator, discriminator, rng, compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        duel, noise = self._duel, self._noise
        metrics = duel.play(batch, lambda: noise.images(duel.generator, noise.training(len(batch))), limit=self._limit)
        return {**metrics, "wasserstein": metrics["d_real"] - metrics["d_fake"]}

    @torch.no_grad()
    def _limit(self) -> None:
        for weight in self._duel.discriminator.parameters():
            weight.clamp_(-self._clip, self._clip)

    def parts(self) -> dict[str, Stateful]:
        return self._duel.parts()

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Images of the averaged generator: [B, Z] -> [B, C, H, W] in [0, 1]."""
        return self._noise.images(self._duel.average, codes)

    def latents(self, count: int) -> torch.Tensor:
        return self._noise.sampling(count)

    def sample(self, count: int) -> torch.Tensor:
        return self.decode(self._noise.sampling(count))

    def preview(self, count: int) -> torch.Tensor:
        return self.decode(self._noise.preview(count))
