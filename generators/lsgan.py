"""LSGAN: a GAN with least-squares losses, which also give gradients for images far from the decision boundary.

Paper: Mao et al. 2017, "Least Squares Generative Adversarial Networks", with its targets b = c = 1 and a = 0.
Deviations: any backbone is the discriminator, and its mirror image the generator; those of all GANs
    (`generators/_adversarial/training.py`).
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
from sandbox.ops.adversarial import LEAST_SQUARES
from sandbox.streams.shuffled import ShuffledConfig


class LSGANConfig(AdversarialConfig):
    """Options of an LSGAN."""

    name: Literal["lsgan"] = "lsgan"
    backbone: AnyBackbone = Field(Strided(), description="the discriminator; its mirror image is the generator")
    latent_size: LatentSize = 100
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "LSGAN":
        return LSGAN(self, spec, rng, compute)


class LSGAN(Generator, HasPreview, HasLatents):
    """A generative adversarial network with least-squares losses."""

    def __init__(self, config: LSGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        with rng.initializing("lsgan/discriminator"):
            discriminator = Discriminator(config.backbone, spec.shape, config.regularizers)
        with rng.initializing("lsgan/generator"):
            generator = mirror(config.backbone, config.latent_size, spec.shape)
        self._latents = Latents(config.latent_size, rng, compute)
        self._trainer = AdversarialTrainer(config, LEAST_SQUARES, generator, discriminator, rng, compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Update the discriminator, and in every `discriminator_steps`-th update the generator."""
        trainer = self._trainer
        fake = trainer.generate(self._latents.training(len(batch)))  # G(z)
        # The discriminator minimizes 1/2 (D(x) - 1)^2 + 1/2 D(G(z))^2.
        outputs = trainer.discriminate(batch, fake.detach())
        metrics = trainer.discriminator_step(outputs)
        if trainer.generator_due():
            # The generator minimizes 1/2 (D(G(z)) - 1)^2.
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
