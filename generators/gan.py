"""The generative adversarial network: a generator of images against a discriminator of real and fake.

Paper: Goodfellow et al. 2014, "Generative Adversarial Networks": `game` is the minimax game of its section 3, or the
    non-saturating one that it recommends.
Deviations: any backbone discriminates and its mirror image generates; Adam with beta1 = 0.5 (Radford et al. 2016); what
    is said in `_duel.py`.
"""

from typing import Literal

import torch
from pydantic import PositiveInt

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.latents import Latents
from sandbox.generators._adversarial.regularizers import PackedRegularizers, Regularizers
from sandbox.generators._adversarial.training import ADAM, AdversarialTrainer, Decay
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import Backbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.mlp import MLP
from sandbox.ops.adversarial import MINIMAX, NON_SATURATING
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig

_GAMES = {"non_saturating": NON_SATURATING, "minimax": MINIMAX}


class GANConfig(GeneratorConfig):
    """`latent_size`: Z; `average_decay` and `discriminator_steps`: to an update of the generator."""

    name: Literal["gan"] = "gan"
    backbone: Backbone = MLP()
    latent_size: PositiveInt = 32
    game: Literal["non_saturating", "minimax"] = "non_saturating"
    average_decay: Decay = 0.999
    discriminator_steps: PositiveInt = 1
    discriminator_optimizer: AnyOptimizer = ADAM
    generator_optimizer: AnyOptimizer = ADAM
    regularizers: PackedRegularizers = Regularizers()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "GAN":
        return GAN(self, spec, rng, compute)


class GAN:
    """Two networks, two optimisers: first the discriminator moves, then the generator."""

    def __init__(self, config: GANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        with rng.initializing("gan/discriminator"):
            discriminator = Discriminator(config.backbone, spec.shape, config.regularizers)
        with rng.initializing("gan/generator"):
            generator = mirror(config.backbone, config.latent_size, spec.shape)
        self._noise = Latents(config.latent_size, rng, compute)
        self._duel = AdversarialTrainer(config, _GAMES[config.game], generator, discriminator, rng, compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        duel, noise = self._duel, self._noise
        return duel.play(batch, lambda: noise.images(duel.generator, noise.training(len(batch))))

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
