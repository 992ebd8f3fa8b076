"""SNGAN: a GAN whose discriminator has layers of spectral norm 1, with the hinge loss.

Paper: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", with Adam as in its setting C.
Deviations: any backbone is the discriminator, by default a narrower one, and its mirror image the generator; those of
    all GANs (`generators/_adversarial/training.py`).
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn

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
from sandbox.ops.adversarial import HINGE
from sandbox.streams.shuffled import ShuffledConfig


class SNGANConfig(AdversarialConfig):
    """Options of an SNGAN."""

    name: Literal["sngan"] = "sngan"
    backbone: AnyBackbone = Field(
        Strided(norm="none"),
        description="the discriminator, whose layers get spectral norms in place of other normalization; its mirror "
        "image is the generator",
    )
    latent_size: LatentSize = 100
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "SNGAN":
        return SNGAN(self, spec, rng, compute)


def add_spectral_norms(network: nn.Module) -> nn.Module:
    """Add spectral normalization to every linear layer and convolution, in place; return `network`.

    The weights are divided by their largest singular value, with one power iteration per forward pass in training.
    """
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.utils.parametrizations.spectral_norm(layer)
    return network


class SNGAN(Generator, HasPreview, HasLatents):
    """A generative adversarial network with spectral normalization."""

    def __init__(self, config: SNGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        with rng.initializing("sngan/discriminator"):
            discriminator = add_spectral_norms(Discriminator(config.backbone, spec.shape, config.regularizers))
        with rng.initializing("sngan/generator"):
            generator = mirror(config.backbone, config.latent_size, spec.shape)
        self._latents = Latents(config.latent_size, rng, compute)
        self._trainer = AdversarialTrainer(config, HINGE, generator, discriminator, rng, compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Update the discriminator, and in every `discriminator_steps`-th update the generator."""
        trainer = self._trainer
        fake = trainer.generate(self._latents.training(len(batch)))  # G(z)
        # The discriminator minimizes max(0, 1 - D(x)) + max(0, 1 + D(G(z))).
        outputs = trainer.discriminate(batch, fake.detach())
        metrics = trainer.discriminator_step(outputs)
        if trainer.generator_due():
            # The generator maximizes D(G(z)).
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
