"""Inpainting: a square is missing, and is to be filled so that nobody sees that it was.

Paper: Pathak et al. 2016, "Context Encoders: Feature Learning by Inpainting".
Deviations: any backbone encodes and its mirror image decodes, through one fully connected code (theirs joins channel by
    channel); the whole image is decoded, and only what is missing is kept; the discriminator sees the completed image
    (theirs: the missing part), since the square may be anywhere; no extra weight at the square's border; the square is
    grey (theirs: the mean colour); what is said in `_duel.py`.
"""

from typing import Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.regularizers import PackedRegularizers, Regularizers
from sandbox.generators._adversarial.training import ADAM, AdversarialTrainer, Decay
from sandbox.generators._images.preview_images import PreviewImages
from sandbox.generators._images.shapes import fitting, image_shape
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import Backbone
from sandbox.networks.decoders.bottleneck import Bottleneck
from sandbox.networks.inputs import as_float, as_pixels
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import missing, squares, without
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig


class ContextEncoderConfig(GeneratorConfig):
    """`side`: of the square, as a share of the image's shorter one; `place`: random or centre.

    `reconstruction_weight`: of the mean squared error a missing pixel beside the game (the paper's: 0.999 to 0.001).
    """

    name: Literal["context_encoder"] = "context_encoder"
    backbone: Backbone = Strided()
    latent_size: PositiveInt = 100
    side: float = Field(0.5, gt=0.0, lt=1.0)
    place: Literal["random", "centre"] = "random"
    reconstruction_weight: NonNegativeFloat = 999.0
    average_decay: Decay = 0.99
    discriminator_steps: PositiveInt = 1
    discriminator_optimizer: AnyOptimizer = ADAM
    generator_optimizer: AnyOptimizer = ADAM
    regularizers: PackedRegularizers = Regularizers()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "ContextEncoder":
        return ContextEncoder(self, spec, rng, compute)


class ContextEncoder:
    """Sources are images with `inpainting.MISSING` where something is missing, in all channels."""

    def __init__(self, config: ContextEncoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Raises UserError for points."""
        self._config, self._compute = config, compute
        self._shape = image_shape(spec, "context_encoder")
        self._side = max(round(config.side * min(self._shape[1:])), 1)  # pixels
        with rng.initializing("context_encoder/discriminator"):
            discriminator = Discriminator(config.backbone, self._shape, config.regularizers)
        with rng.initializing("context_encoder/generator"):
            generator = Bottleneck(config.backbone, config.latent_size, self._shape)
        self._duel = AdversarialTrainer(config, NON_SATURATING, generator, discriminator, rng, compute)
        self._held = PreviewImages(self._shape, compute)
        self._training = rng.torch("context_encoder/damage", compute.device)
        self._sampling = rng.torch("context_encoder/sample", compute.device)
        self._preview = rng.integer("context_encoder/preview")

    def update(self, batch: torch.Tensor) -> Metrics:
        self._held.see(batch)
        images = as_float(batch)
        sources = self.damage(batch, self._training)  # bytes: floats would have to be looked at
        where, network, metrics = missing(sources), self._duel.generator, {}

        def error(fake: torch.Tensor, _: object) -> torch.Tensor:
            mean = (fake - images).square().sum() / (where.sum() * self._shape[0])  # elsewhere they are equal
            metrics["reconstruction_error"] = mean.detach()
            return self._config.reconstruction_weight * mean

        return {**self._duel.play(images, lambda: self._completed(network, sources), error), **metrics}

    def parts(self) -> dict[str, Stateful]:
        return {**self._duel.parts(), "held": self._held}

    def damage(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Images [B, C, H, W] -> sources: each lacks a square, where `generator` (or the config) says."""
        x = as_pixels(fitting(images, self._shape, "context_encoder"), self._compute.device)
        _, height, width = self._shape
        room = torch.tensor([height - self._side, width - self._side], device=generator.device)
        corners = (room // 2).expand(len(x), 2)
        if self._config.place == "random":
            corners = (torch.rand((len(x), 2), generator=generator, device=generator.device) * (room + 1)).long()
        where = squares(corners.to(x.device), self._side, height, width)
        return without(x, where)

    @torch.no_grad()
    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        """What is missing filled in by the averaged generator; raises UserError for images that do not fit."""
        x = as_pixels(fitting(sources, self._shape, "context_encoder"), self._compute.device)
        return self._completed(self._duel.average, x)

    def sample(self, count: int) -> torch.Tensor:
        """Images that it has been trained on, with a square of them made up."""
        return self.translate(self.damage(self._held.first(count), self._sampling))

    def preview(self, count: int) -> torch.Tensor:
        """The same with the same squares each time."""
        draws = torch.Generator(self._compute.device).manual_seed(self._preview)
        return self.translate(self.damage(self._held.first(count), draws))

    def _completed(self, network: nn.Module, sources: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            logits = network(sources)
        return torch.where(missing(sources), torch.sigmoid(logits.float()), sources)
