"""Context encoder: inpainting of a missing square, with a reconstruction and an adversarial loss.

Paper: Pathak et al. 2016, "Context Encoders: Feature Learning by Inpainting".
Deviations: any backbone encodes and its mirror image decodes, through one fully connected code (the paper's layer is
    fully connected within each channel only); the whole image is decoded, and only the missing part is used; the
    discriminator sees the completed image (the paper: the missing part), since the square may be anywhere; no further
    weight at the square's border; the square is gray (the paper: the mean color); those of all GANs
    (`generators/_adversarial/training.py`).
"""

from typing import Literal

import torch
from pydantic import Field

from sandbox.config.numbers import NonNegative, Units
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.config import AdversarialConfig, AverageDecay
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.training import AdversarialTrainer
from sandbox.generators._images.preview_images import PreviewImages
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import HasCorruption, HasPreview, HasTranslation
from sandbox.interfaces.generator import Generator
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.decoders.bottleneck import Bottleneck
from sandbox.networks.inputs import as_float, as_pixels
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import missing_mask, square_masks, with_hole
from sandbox.streams.shuffled import ShuffledConfig


class ContextEncoderConfig(AdversarialConfig):
    """Options of a context encoder."""

    name: Literal["context_encoder"] = "context_encoder"
    backbone: AnyBackbone = Field(
        Strided(), description="the discriminator, and the generator's encoder, whose mirror image is the decoder"
    )
    latent_size: Units = Field(100, description="size of the generator's code")
    side: float = Field(
        0.5, gt=0.0, lt=1.0, description="side of the missing square, as a fraction of the image's shorter side"
    )
    place: Literal["random", "center"] = Field("random", description="where in the image the square is")
    reconstruction_weight: NonNegative = Field(
        999.0, description="weight of the mean squared error of a missing pixel; the paper's ratio is 0.999 to 0.001"
    )
    average_decay: AverageDecay = 0.99
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "ContextEncoder":
        return ContextEncoder(self, spec, rng, compute)


class ContextEncoder(Generator, HasPreview, HasTranslation, HasCorruption):
    """An inpainting network. Its source images have the gray value `ops.images.MISSING` in all missing pixels."""

    def __init__(self, config: ContextEncoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Build both networks.

        Raises:
            UserError: For points.
        """
        self._config, self._compute = config, compute
        self._shape = image_shape(spec, "context_encoder")
        self._side = max(round(config.side * min(self._shape[1:])), 1)  # pixels
        with rng.initializing("context_encoder/discriminator"):
            discriminator = Discriminator(config.backbone, self._shape, config.regularizers)
        with rng.initializing("context_encoder/generator"):
            generator = Bottleneck(config.backbone, config.latent_size, self._shape)
        self._trainer = AdversarialTrainer(config, NON_SATURATING, generator, discriminator, rng, compute)
        self._preview_images = PreviewImages(self._shape, compute)
        self._training_corners = rng.torch("context_encoder/damage", compute.device)
        self._sampling_corners = rng.torch("context_encoder/sample", compute.device)
        self._preview_seed = rng.integer("context_encoder/preview")

    def update(self, batch: torch.Tensor) -> Metrics:
        """Update the discriminator, and in every `discriminator_steps`-th update the generator.

        The metric `reconstruction_error` is the mean squared error of a missing pixel.
        """
        trainer = self._trainer
        self._preview_images.add(batch)
        x = as_float(batch)
        sources = self.corrupt(batch, self._training_corners)  # not x: a check of floats would wait for the device
        fake = self._complete(sources, trainer.generate(sources))
        # The discriminator maximizes log D(x) + log(1 - D(completed image)).
        outputs = trainer.discriminate(x, fake.detach())
        metrics = trainer.discriminator_step(outputs)
        if trainer.generator_due():
            # The generator maximizes log D(completed image) - reconstruction_weight error.
            output = trainer.discriminate_fake(fake)
            num_missing = missing_mask(sources).sum() * self._shape[0]
            error = (fake - x).square().sum() / num_missing  # known pixels have no error
            metrics |= trainer.generator_step(output, extra_loss=self._config.reconstruction_weight * error)
            metrics["reconstruction_error"] = error.detach()
        return metrics

    def parts(self) -> dict[str, Stateful]:
        return {**self._trainer.parts(), "preview_images": self._preview_images}

    def corrupt(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Remove a square from each of the images [B, C, H, W], at a place drawn from `generator` if it is random."""
        x = as_pixels(require_shape(images, self._shape, "context_encoder"), self._compute.device)
        _, height, width = self._shape
        last = torch.tensor([height - self._side, width - self._side], device=generator.device)  # (row, column)
        corners = (last // 2).expand(len(x), 2)
        if self._config.place == "random":
            corners = (torch.rand((len(x), 2), generator=generator, device=generator.device) * (last + 1)).long()
        mask = square_masks(corners.to(x.device), self._side, height, width)
        return with_hole(x, mask)

    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        """Fill in what is missing with the averaged generator.

        Raises:
            UserError: For source images of another shape.
        """
        x = as_pixels(require_shape(sources, self._shape, "context_encoder"), self._compute.device)
        return self._complete(x, self._trainer.generate_averaged(x))

    def sample(self, count: int) -> torch.Tensor:
        """Return images of the training set in which a square has been generated."""
        return self.translate(self.corrupt(self._preview_images.first(count), self._sampling_corners))

    def preview(self, count: int) -> torch.Tensor:
        """Return images of the training set in which the same squares have been generated at every call."""
        corners = torch.Generator(self._compute.device).manual_seed(self._preview_seed)
        return self.translate(self.corrupt(self._preview_images.first(count), corners))

    @staticmethod
    def _complete(sources: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
        """Return the source images with generated pixels in place of the missing ones."""
        return torch.where(missing_mask(sources), generated, sources)
