"""CGAN: a GAN whose generator and discriminator are given the class of the image.

Paper: Mirza & Osindero 2014, "Conditional Generative Adversarial Nets".
Deviations: any backbone is the discriminator, which sees the class as planes of 0s and 1s next to the image (the
    paper's maxout layers take both as vectors), and its mirror image the generator; Adam (Radford et al. 2016); those
    of all GANs (`generators/_adversarial/training.py`).
"""

from typing import Literal

import torch
from pydantic import Field

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.config import AdversarialConfig, LatentSize
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.labels import ClassLabels
from sandbox.generators._adversarial.latents import Latents
from sandbox.generators._adversarial.training import AdversarialTrainer
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.capabilities import HasLabeledDecoder, HasPreview
from sandbox.interfaces.generator import Generator
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.streams.labeled import Labeled, LabeledConfig


class CGANConfig(AdversarialConfig):
    """Options of a CGAN."""

    name: Literal["cgan"] = "cgan"
    backbone: AnyBackbone = Field(Strided(), description="the discriminator; its mirror image is the generator")
    latent_size: LatentSize = 100
    stream: LabeledConfig = Field(LabeledConfig(), description="batches of images with their labels")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "CGAN":
        return CGAN(self, spec, rng, compute)


class CGAN(Generator, HasPreview, HasLabeledDecoder):
    """A class-conditional generative adversarial network."""

    def __init__(self, config: CGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Build both networks.

        Raises:
            UserError: For points, and for data without labels.
        """
        channels, *sides = image_shape(spec, "cgan")
        self._classes = ClassLabels(spec, "cgan", rng, compute)
        with rng.initializing("cgan/discriminator"):
            shape = (channels + self._classes.num_classes, *sides)
            discriminator = Discriminator(config.backbone, shape, config.regularizers)
        with rng.initializing("cgan/generator"):
            generator = mirror(config.backbone, config.latent_size + self._classes.num_classes, spec.shape)
        self._latents = Latents(config.latent_size, rng, compute)
        self._trainer = AdversarialTrainer(config, NON_SATURATING, generator, discriminator, rng, compute)

    def update(self, batch: Labeled) -> Metrics:
        """Update the discriminator, and in every `discriminator_steps`-th update the generator."""
        trainer, classes = self._trainer, self._classes
        labels = classes.of_batch(batch)  # y, of the real and of the generated images
        z = self._latents.training(len(labels))
        fake = classes.append_planes(trainer.generate(classes.append_one_hot(z, labels)), labels)  # G(z|y), y
        real = classes.append_planes(batch.images, labels)
        # The discriminator maximizes log D(x|y) + log(1 - D(G(z|y))).
        outputs = trainer.discriminate(real, fake.detach())
        metrics = trainer.discriminator_step(outputs)
        if trainer.generator_due():
            # The generator maximizes log D(G(z|y)).
            output = trainer.discriminate_fake(fake)
            metrics |= trainer.generator_step(output)
        return metrics

    def parts(self) -> dict[str, Stateful]:
        return self._trainer.parts()

    def num_classes(self) -> int:
        return self._classes.num_classes

    def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
        return self.decode_as(self._latents.sampling(len(labels)), labels)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Generate images from latents [B, Z], of all classes in turn: [B, C, H, W] in [0, 1]."""
        return self.decode_as(codes, self._classes.cycle(len(codes)))

    def latents(self, count: int) -> torch.Tensor:
        return self._latents.sampling(count)

    def sample(self, count: int) -> torch.Tensor:
        """Return samples of classes drawn from the uniform distribution."""
        return self.sample_of(self._classes.sample(count))

    def preview(self, count: int) -> torch.Tensor:
        """Return samples of all classes in turn, from the same latents at every call."""
        return self.decode(self._latents.preview(count))

    def decode_as(self, codes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Generate images from latents [B, Z] and labels [B] with the averaged generator."""
        return self._trainer.generate_averaged(self._classes.append_one_hot(codes, labels))
