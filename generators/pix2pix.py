"""pix2pix: image-to-image translation from pairs, by a U-Net against a discriminator of patches.

Paper: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks".
Deviations: small networks for small images, of any widths, normalized by instance; patches of 22 pixels with the
    default channels (the paper: 70, in images of 256); the discriminator's loss is not halved; errors are those of
    pixels in [0, 1], half as large as the paper's; those of all GANs (`generators/_adversarial/training.py`).
    As in the paper, dropout is the only noise, in training and in translation, and it changes little.
"""

from typing import ClassVar, Literal

import torch
from pydantic import Field

from sandbox.config.numbers import Channels, NonNegative
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.config import ADAM, AverageDecay, DiscriminatorOptimizer, GeneratorOptimizer
from sandbox.generators._adversarial.patch_discriminator import PatchDiscriminator
from sandbox.generators._adversarial.regularizers import Regularizers
from sandbox.generators._adversarial.training import AdversarialTrainer
from sandbox.generators._images.preview_images import PreviewImages
from sandbox.generators._images.shapes import require_shape, source_shape
from sandbox.interfaces.capabilities import HasPreview, HasTranslation
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics, RefusesExport
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float, as_pixels
from sandbox.networks.unet import UNet
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.streams.paired import Both, PairedConfig

_Channels = tuple[Channels, ...]


class Pix2PixConfig(GeneratorConfig):
    """Options of pix2pix, which has no regularizers, and one discriminator step for each generator step."""

    discriminator_steps: ClassVar[int] = 1
    regularizers: ClassVar[Regularizers] = Regularizers()
    no_encoder: ClassVar[str] = "its networks are those of its paper, not backbones"

    name: Literal["pix2pix"] = "pix2pix"
    channels: _Channels = Field(
        (32, 64, 128), min_length=1, description="channels of the U-Net's levels, each half as large as the one before"
    )
    patch_channels: _Channels = Field(
        (32, 64, 128), min_length=1, description="channels of the discriminator's convolutions, each of which halves"
    )
    l1_weight: NonNegative = Field(100.0, description="weight of the mean absolute error of a pixel")
    dropout: float = Field(0.5, ge=0.0, lt=1.0, description="dropout rate of the U-Net's three lowest levels")
    average_decay: AverageDecay = 0.99
    discriminator_optimizer: DiscriminatorOptimizer = ADAM
    generator_optimizer: GeneratorOptimizer = ADAM
    stream: PairedConfig = Field(PairedConfig(), description="batches of images with their source images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Pix2Pix":
        return Pix2Pix(self, spec, rng, compute)


class Pix2Pix(Generator, HasPreview, HasTranslation, RefusesExport):
    """A conditional GAN that translates source images [B, C', H, W] to images [B, C, H, W]."""

    def __init__(self, config: Pix2PixConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Build both networks.

        Raises:
            UserError: For data without source images, or of sizes that do not fit.
        """
        self.no_export = (
            "its dropout is the noise of a translation (generator.dropout=0 has none)" if config.dropout else ""
        )
        self._config, self._compute = config, compute
        self._source_shape = source_shape(spec, "pix2pix")
        pair_shape = (self._source_shape[0] + spec.shape[0], *spec.shape[1:])
        with rng.initializing("pix2pix/discriminator"):
            discriminator = PatchDiscriminator(pair_shape, config.patch_channels)
        with rng.initializing("pix2pix/generator"):
            unet = UNet(self._source_shape, spec.shape[0], config.channels, config.dropout)
        self._trainer = AdversarialTrainer(config, NON_SATURATING, unet, discriminator, rng, compute)
        self._preview_images = PreviewImages(self._source_shape, compute)
        self._training_dropout = rng.torch("pix2pix/dropout", compute.device)
        self._translation_dropout = rng.torch("pix2pix/translate", compute.device)
        self._preview_seed = rng.integer("pix2pix/preview")

    def update(self, batch: Both) -> Metrics:
        """Update the discriminator, then the generator. The metric `l1` is the mean absolute error of a pixel."""
        trainer = self._trainer
        self._preview_images.add(batch.sources)
        x, y = as_float(batch.sources), as_float(batch.images)
        fake = trainer.generate(x, self._training_dropout)  # G(x, z), where dropout is the noise z
        # The discriminator maximizes log D(x, y) + log(1 - D(x, G(x, z))).
        outputs = trainer.discriminate(torch.cat([x, y], 1), torch.cat([x, fake.detach()], 1))
        metrics = trainer.discriminator_step(outputs)
        # The generator maximizes log D(x, G(x, z)) - l1_weight |y - G(x, z)|.
        output = trainer.discriminate_fake(torch.cat([x, fake], 1))
        l1 = (fake - y).abs().mean()
        metrics |= trainer.generator_step(output, extra_loss=self._config.l1_weight * l1)
        return metrics | {"l1": l1.detach()}

    def parts(self) -> dict[str, Stateful]:
        return {**self._trainer.parts(), "preview_images": self._preview_images}

    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        """Translate with the averaged generator and new noise.

        Raises:
            UserError: For source images of another shape.
        """
        return self._translate(sources, self._translation_dropout)

    def sample(self, count: int) -> torch.Tensor:
        """Return translations of source images from the training set."""
        return self._translate(self._preview_images.first(count), self._translation_dropout)

    def preview(self, count: int) -> torch.Tensor:
        """Return translations of source images from the training set, with the same noise at every call."""
        dropout = torch.Generator(self._compute.device).manual_seed(self._preview_seed)
        return self._translate(self._preview_images.first(count), dropout)

    def _translate(self, sources: torch.Tensor, dropout: torch.Generator) -> torch.Tensor:
        x = as_pixels(require_shape(sources, self._source_shape, "pix2pix"), self._compute.device)
        return self._trainer.generate_averaged(x, dropout)
