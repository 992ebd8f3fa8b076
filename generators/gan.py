"""GAN: a generator of images trained against a discriminator of real and generated images.

Paper: Goodfellow et al. 2014, "Generative Adversarial Networks", with the minimax loss of its section 3, or the
    non-saturating loss that it recommends there.
Deviations: any backbone is the discriminator, and its mirror image the generator; Adam with beta1 = 0.5 (Radford et al.
    2016); those of all GANs (`generators/_adversarial/training.py`).
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
from sandbox.interfaces.split import Split, Whole
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.mlp import MLP
from sandbox.ops.adversarial import MINIMAX, NON_SATURATING
from sandbox.streams.shuffled import ShuffledConfig

_LOSSES = {"non_saturating": NON_SATURATING, "minimax": MINIMAX}


class GANConfig(AdversarialConfig):
    """Options of a GAN."""

    name: Literal["gan"] = "gan"
    backbone: AnyBackbone = Field(MLP(), description="the discriminator; its mirror image is the generator")
    latent_size: LatentSize = 32
    loss: Literal["non_saturating", "minimax"] = Field(
        "non_saturating", description="the generator minimizes -log D(G(z)) (non-saturating) or log(1 - D(G(z)))"
    )
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images or points")

    def split(self) -> Split | Whole:
        """Divide the images of a batch; both losses are means."""
        if reason := self.regularizers.compares_images():
            return Whole(reason)
        return Split("mean", {"generator.stream.batch_size": self.stream.batch_size})

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "GAN":
        return GAN(self, spec, rng, compute)


class GAN(Generator, HasPreview, HasLatents):
    """A generative adversarial network."""

    def __init__(self, config: GANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        with rng.initializing("gan/discriminator"):
            discriminator = Discriminator(config.backbone, spec.shape, config.regularizers)
        with rng.initializing("gan/generator"):
            generator = mirror(config.backbone, config.latent_size, spec.shape)
        self._latents = Latents(config.latent_size, rng, compute)
        self._trainer = AdversarialTrainer(config, _LOSSES[config.loss], generator, discriminator, rng, compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Update the discriminator, and in every `discriminator_steps`-th update the generator."""
        trainer = self._trainer
        fake = trainer.generate(self._latents.training(len(batch)))  # G(z)
        # The discriminator maximizes log D(x) + log(1 - D(G(z))).
        outputs = trainer.discriminate(batch, fake.detach())
        metrics = trainer.discriminator_step(outputs)
        if trainer.generator_due():
            # The generator maximizes log D(G(z)), or minimizes log(1 - D(G(z))).
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
