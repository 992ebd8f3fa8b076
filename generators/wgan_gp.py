"""WGAN-GP: a Wasserstein GAN with a gradient penalty in place of weight clipping.

Paper: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs": lambda = 10, five critic steps, Adam with betas 0
    and 0.9, no batch norm in the critic.
Deviations: any backbone without batch norm is the critic, and its mirror image the generator; those of all GANs
    (`generators/_adversarial/training.py`).
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Positive
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.config import (
    AdversarialConfig,
    DiscriminatorOptimizer,
    DiscriminatorSteps,
    GeneratorOptimizer,
    LatentSize,
)
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.latents import Latents
from sandbox.generators._adversarial.regularizers import MinibatchDiscriminationLayer
from sandbox.generators._adversarial.training import AdversarialTrainer, DiscriminatorOutputs
from sandbox.interfaces.capabilities import HasLatents, HasPreview
from sandbox.interfaces.generator import Generator
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.inputs import as_float
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import WASSERSTEIN, gradient_penalty
from sandbox.optimizers.adam import Adam
from sandbox.streams.shuffled import ShuffledConfig

_ADAM = Adam(lr=1e-4, betas=(0.0, 0.9))


class WGANGPConfig(AdversarialConfig):
    """Options of a WGAN-GP."""

    name: Literal["wgan_gp"] = "wgan_gp"
    backbone: AnyBackbone = Field(
        Strided(norm="none"), description="the critic, without batch norm; its mirror image is the generator"
    )
    latent_size: LatentSize = 100
    penalty: Positive = Field(10.0, description="weight lambda of the gradient penalty")
    discriminator_steps: DiscriminatorSteps = 5
    discriminator_optimizer: DiscriminatorOptimizer = _ADAM
    generator_optimizer: GeneratorOptimizer = _ADAM
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "WGANGP":
        return WGANGP(self, spec, rng, compute)


def require_no_batch_statistics(critic: nn.Module) -> None:
    """Refuse a critic whose output for an image depends on its batch: the gradient penalty is for each image alone.

    Raises:
        UserError: For batch norm and for minibatch discrimination.
    """
    if any(isinstance(part, MinibatchDiscriminationLayer) for part in critic.modules()):
        raise UserError(
            "generator.name=wgan_gp penalizes the gradient of each image by itself, but minibatch discrimination "
            "compares it with its batch. Leave generator.regularizers.minibatch_discrimination out; "
            "generator.regularizers.pack_size can be used instead."
        )
    if any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in critic.modules()):
        raise UserError(
            "generator.name=wgan_gp penalizes the gradient of each image by itself, but its backbone normalizes by "
            "batch. Set generator.backbone.norm to none, layer, instance or group."
        )


class WGANGP(Generator, HasPreview, HasLatents):
    """A Wasserstein GAN with gradient penalty."""

    def __init__(self, config: WGANGPConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        with rng.initializing("wgan_gp/discriminator"):
            discriminator = Discriminator(config.backbone, spec.shape, config.regularizers)
        with rng.initializing("wgan_gp/generator"):
            generator = mirror(config.backbone, config.latent_size, spec.shape)
        require_no_batch_statistics(discriminator)
        self._config, self._compute = config, compute
        self._alphas = rng.torch("wgan_gp/alphas", compute.device)
        self._latents = Latents(config.latent_size, rng, compute)
        self._trainer = AdversarialTrainer(config, WASSERSTEIN, generator, discriminator, rng, compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Update the critic, and in every `discriminator_steps`-th update the generator."""
        trainer = self._trainer
        fake = trainer.generate(self._latents.training(len(batch)))  # G(z)
        # The critic f maximizes f(x) - f(G(z)) - penalty (|df/dx'| - 1)^2, with x' at random between x and G(z).
        outputs = trainer.discriminate(batch, fake.detach())
        penalty = self._config.penalty * self._gradient_penalty(outputs)
        metrics = trainer.discriminator_step(outputs, extra_loss=penalty)
        metrics["penalty"] = penalty.detach()
        metrics["wasserstein"] = metrics["d_real"] - metrics["d_fake"]
        if trainer.generator_due():
            # The generator maximizes f(G(z)).
            output = trainer.discriminate_fake(fake)
            metrics |= trainer.generator_step(output)
        return metrics

    def _gradient_penalty(self, outputs: DiscriminatorOutputs) -> torch.Tensor:
        """Return the mean penalty, a scalar, at random points between real and generated images, one for each logit."""
        alpha = torch.rand(len(outputs.real.logits), generator=self._alphas, device=self._compute.device)
        real, fake = as_float(outputs.real_images), outputs.fake_images
        return gradient_penalty(lambda x: self._trainer.discriminator(x).logits, real, fake, alpha)

    def parts(self) -> dict[str, Stateful]:
        return self._trainer.parts()

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Generate images from latents [B, Z] with the averaged generator: [B, C, H, W] in [0, 1]."""
        return self._trainer.generate_averaged(codes)

    def latents(self, count: int) -> torch.Tensor:
        return self._latents.sampling(count)

    def sample(self, count: int) -> torch.Tensor:
        return self.decode(self._latents.sampling(count))

    def preview(self, count: int) -> torch.Tensor:
        return self.decode(self._latents.preview(count))
