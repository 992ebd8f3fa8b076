"""WGAN: a critic with clipped weights estimates the Wasserstein distance of generated from real images.

Paper: Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN": weights are clipped after each of five critic steps.
Deviations: any backbone is the critic, by default without batch norm, and its mirror image the generator; Adam without
    momentum (beta1 = 0) in place of RMSProp; those of all GANs (`generators/_adversarial/training.py`).
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Positive
from sandbox.core.compute import Compute
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
from sandbox.generators._adversarial.training import AdversarialTrainer
from sandbox.interfaces.capabilities import HasLatents, HasPreview
from sandbox.interfaces.generator import Generator
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import WASSERSTEIN
from sandbox.optimizers.adam import Adam
from sandbox.streams.shuffled import ShuffledConfig

_ADAM = Adam(lr=5e-5, betas=(0.0, 0.99))


class WGANConfig(AdversarialConfig):
    """Options of a WGAN."""

    name: Literal["wgan"] = "wgan"
    backbone: AnyBackbone = Field(Strided(norm="none"), description="the critic; its mirror image is the generator")
    latent_size: LatentSize = 100
    clip: Positive = Field(0.01, description="the critic's weights are clipped to [-clip, clip]")
    discriminator_steps: DiscriminatorSteps = 5
    discriminator_optimizer: DiscriminatorOptimizer = _ADAM
    generator_optimizer: GeneratorOptimizer = _ADAM
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "WGAN":
        return WGAN(self, spec, rng, compute)


@torch.no_grad()
def clip_weights(network: nn.Module, limit: float) -> None:
    """Clip every weight and bias to [-limit, limit]."""
    for weight in network.parameters():
        weight.clamp_(-limit, limit)


class WGAN(Generator, HasPreview, HasLatents):
    """A Wasserstein GAN with weight clipping."""

    def __init__(self, config: WGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        with rng.initializing("wgan/discriminator"):
            discriminator = Discriminator(config.backbone, spec.shape, config.regularizers)
        with rng.initializing("wgan/generator"):
            generator = mirror(config.backbone, config.latent_size, spec.shape)
        self._clip = config.clip
        self._latents = Latents(config.latent_size, rng, compute)
        self._trainer = AdversarialTrainer(config, WASSERSTEIN, generator, discriminator, rng, compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Update the critic, and in every `discriminator_steps`-th update the generator."""
        trainer = self._trainer
        fake = trainer.generate(self._latents.training(len(batch)))  # G(z)
        # The critic f maximizes f(x) - f(G(z)), with bounded weights.
        outputs = trainer.discriminate(batch, fake.detach())
        metrics = trainer.discriminator_step(outputs)
        clip_weights(trainer.discriminator, self._clip)
        metrics["wasserstein"] = metrics["d_real"] - metrics["d_fake"]
        if trainer.generator_due():
            # The generator maximizes f(G(z)).
            output = trainer.discriminate_fake(fake)
            metrics |= trainer.generator_step(output)
        return metrics

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
