"""DCGAN: a GAN of strided convolutions.

Paper: Radford, Metz & Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative
    Adversarial Networks".
Deviations: normal latents (the paper's are uniform); images in [0, 1] from a sigmoid (the paper: tanh); the widths of
    `Strided`; those of all GANs (`generators/_adversarial/training.py`).
"""

from typing import Literal

import torch
from pydantic import Field

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.config import AdversarialConfig, LatentSize
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
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.streams.shuffled import ShuffledConfig


class DCGANConfig(AdversarialConfig):
    """Options of a DCGAN."""

    name: Literal["dcgan"] = "dcgan"
    backbone: AnyBackbone = Field(Strided(), description="the discriminator; its mirror image is the generator")
    latent_size: LatentSize = 100
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DCGAN":
        return DCGAN(self, spec, rng, compute)


class DCGAN(Generator, HasPreview, HasLatents):
    """A convolutional generative adversarial network."""

    def __init__(self, config: DCGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        with rng.initializing("dcgan/discriminator"):
            discriminator = Discriminator(config.backbone, spec.shape, config.regularizers)
        with rng.initializing("dcgan/generator"):
            generator = mirror(config.backbone, config.latent_size, spec.shape)
        self._latents = Latents(config.latent_size, rng, compute)
        self._trainer = AdversarialTrainer(config, NON_SATURATING, generator, discriminator, rng, compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Update the discriminator, and in every `discriminator_steps`-th update the generator."""
        trainer = self._trainer
        fake = trainer.generate(self._latents.training(len(batch)))  # G(z)
        # The discriminator maximizes log D(x) + log(1 - D(G(z))).
        outputs = trainer.discriminate(batch, fake.detach())
        metrics = trainer.discriminator_step(outputs)
        if trainer.generator_due():
            # The generator maximizes log D(G(z)).
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
