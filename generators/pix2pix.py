"""Image-to-image translation from pairs: a U-Net against a discriminator of patches that sees source and image.

Paper: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks".
Deviations: small networks for small images, in widths of your choice, normalised by instance; patches of 22 pixels
    with the default channels (theirs: 70 of 256); the discriminator's loss is not halved; errors are of pixels in
    [0, 1], which are half of the paper's; what is said in `_duel.py`.
    As in the paper, dropout is the only noise, in training and in translating, and it changes little.
"""

from typing import Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.patch_discriminator import PatchDiscriminator
from sandbox.generators._adversarial.regularizers import Regularizers
from sandbox.generators._adversarial.training import ADAM, AdversarialTrainer, Decay
from sandbox.generators._images.preview_images import PreviewImages
from sandbox.generators._images.shapes import fitting, source_shape
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float, as_pixels
from sandbox.networks.unet import UNet
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.paired import Both, PairedConfig

_Channels = tuple[PositiveInt, ...]


class Pix2PixConfig(GeneratorConfig):
    """`channels`: of the U-Net's levels, each half as large as the one before; `patch_channels` likewise.

    `l1_weight`: of the mean absolute error a pixel beside the game; `dropout`: of the three lowest levels.
    """

    name: Literal["pix2pix"] = "pix2pix"
    channels: _Channels = Field((32, 64, 128), min_length=1)
    patch_channels: _Channels = Field((32, 64, 128), min_length=1)
    l1_weight: NonNegativeFloat = 100.0
    dropout: float = Field(0.5, ge=0.0, lt=1.0)
    average_decay: Decay = 0.99
    discriminator_optimizer: AnyOptimizer = ADAM
    generator_optimizer: AnyOptimizer = ADAM
    stream: PairedConfig = PairedConfig()

    @property
    def discriminator_steps(self) -> int:
        return 1

    @property
    def regularizers(self) -> Regularizers:
        return Regularizers()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Pix2Pix":
        return Pix2Pix(self, spec, rng, compute)


class Pix2Pix:
    """Sources are [B, C', H, W], images [B, C, H, W], uint8 or floats in [0, 1]."""

    def __init__(self, config: Pix2PixConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Raises UserError for data without sources, or of sizes that do not fit."""
        self._config, self._compute = config, compute
        self._source_shape = source_shape(spec, "pix2pix")
        both = (self._source_shape[0] + spec.shape[0], *spec.shape[1:])
        with rng.initializing("pix2pix/discriminator"):
            discriminator = PatchDiscriminator(both, config.patch_channels)
        with rng.initializing("pix2pix/generator"):
            unet = UNet(self._source_shape, spec.shape[0], config.channels, config.dropout)
        self._duel = AdversarialTrainer(config, NON_SATURATING, unet, discriminator, rng, compute)
        self._held = PreviewImages(self._source_shape, compute)
        self._training = rng.torch("pix2pix/dropout", compute.device)
        self._translating = rng.torch("pix2pix/translate", compute.device)
        self._preview = rng.integer("pix2pix/preview")

    def update(self, batch: Both) -> Metrics:
        self._held.see(batch.sources)
        sources, images = as_float(batch.sources), as_float(batch.images)
        unet, metrics = self._duel.generator, {}

        def pair() -> torch.Tensor:
            return torch.cat([sources, self._images(unet, sources, self._training)], 1)

        def distance(fake: torch.Tensor, _: object) -> torch.Tensor:
            l1 = (fake[:, sources.shape[1] :] - images).abs().mean()
            metrics["l1"] = l1.detach()
            return self._config.l1_weight * l1

        return {**self._duel.play(torch.cat([sources, images], 1), pair, distance), **metrics}

    def parts(self) -> dict[str, Stateful]:
        return {**self._duel.parts(), "held": self._held}

    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        """Images of the averaged generator, with new noise each time; raises UserError for sources that do not fit."""
        return self._translated(sources, self._translating)

    def sample(self, count: int) -> torch.Tensor:
        """Translations of sources that it has been trained on."""
        return self._translated(self._held.first(count), self._translating)

    def preview(self, count: int) -> torch.Tensor:
        """The same with the same noise each time."""
        noise = torch.Generator(self._compute.device).manual_seed(self._preview)
        return self._translated(self._held.first(count), noise)

    @torch.no_grad()
    def _translated(self, sources: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        x = as_pixels(fitting(sources, self._source_shape, "pix2pix"), self._compute.device)
        return self._images(self._duel.average, x, noise)

    def _images(self, unet: torch.nn.Module, sources: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        with self._compute.autocast():
            logits = unet(sources, noise)
        return torch.sigmoid(logits.float())
