"""A critic whose slopes are pulled to 1 between real and generated images, instead of clipped weights.

Paper: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs": lambda = 10, five critic steps, Adam with betas 0
    and 0.9; no batch norm in the critic.
Deviations: what is said in `_duel.py`.
"""

from typing import Literal

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.latents import Latents
from sandbox.generators._adversarial.regularizers import MinibatchDiscriminationLayer, PackedRegularizers, Regularizers
from sandbox.generators._adversarial.training import AdversarialTrainer, Decay
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import Backbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.inputs import as_float
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import WASSERSTEIN, Critic, gradient_penalty
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig

_ADAM = Adam(lr=1e-4, betas=(0.0, 0.9))


class WGANGPConfig(GeneratorConfig):
    """`latent_size`: Z; `average_decay` and `discriminator_steps`: to an update of the generator.

    `penalty`: weight of the gradient penalty. The backbone must judge each image by itself: no batch norm.
    """

    name: Literal["wgan_gp"] = "wgan_gp"
    backbone: Backbone = Strided(normalization="none")
    latent_size: PositiveInt = 100
    average_decay: Decay = 0.999
    penalty: PositiveFloat = 10.0
    discriminator_steps: PositiveInt = 5
    discriminator_optimizer: AnyOptimizer = _ADAM
    generator_optimizer: AnyOptimizer = _ADAM
    regularizers: PackedRegularizers = Regularizers()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "WGANGP":
        return WGANGP(self, spec, rng, compute)


def refuse_company(critic: nn.Module) -> None:
    """Raises UserError if what an image is worth depends on its batch: the penalty is about one at a time."""
    if any(isinstance(part, MinibatchDiscriminationLayer) for part in critic.modules()):
        raise UserError(
            "generator.name=wgan_gp judges each image by itself, but minibatch discrimination compares it with its "
            "batch. Leave generator.regularizers.minibatch_discrimination out; "
            "generator.regularizers.pack_size goes with it."
        )
    if any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in critic.modules()):
        raise UserError(
            "generator.name=wgan_gp judges each image by itself, but its backbone normalises by batch. "
            "Set generator.backbone.normalization to none or instance."
        )


class WGANGP:
    """Two networks, two optimisers: first the discriminator moves, then the generator."""

    def __init__(self, config: WGANGPConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        with rng.initializing("wgan_gp/discriminator"):
            discriminator = Discriminator(config.backbone, spec.shape, config.regularizers)
        with rng.initializing("wgan_gp/generator"):
            generator = mirror(config.backbone, config.latent_size, spec.shape)
        refuse_company(discriminator)
        self._weight, self._device, self._pack_size = config.penalty, compute.device, config.regularizers.pack_size
        self._alphas = rng.torch("wgan_gp/alphas", compute.device)
        self._noise = Latents(config.latent_size, rng, compute)
        self._duel = AdversarialTrainer(config, WASSERSTEIN, generator, discriminator, rng, compute, self._slopes)

    def update(self, batch: torch.Tensor) -> Metrics:
        duel, noise = self._duel, self._noise
        metrics = duel.play(batch, lambda: noise.images(duel.generator, noise.training(len(batch))))
        return {**metrics, "wasserstein": metrics["d_real"] - metrics["d_fake"]}

    def _slopes(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        alphas = torch.rand(len(real) // self._pack_size, generator=self._alphas, device=self._device)
        return self._weight * gradient_penalty(critic, as_float(real), fake, alphas)

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
