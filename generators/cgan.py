"""A GAN that is told the class: so is its discriminator, and images of a class can be asked for.

Paper: Mirza & Osindero 2014, "Conditional Generative Adversarial Nets".
Deviations: any backbone discriminates, with the class beside the image as planes of 0s and 1s (theirs, maxout layers,
    take both as vectors), and its mirror image generates from noise and class; Adam (Radford et al. 2016); what is said
    in `_duel.py`.
"""

from typing import Literal

import torch
from pydantic import PositiveInt

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.labels import ClassLabels
from sandbox.generators._adversarial.latents import Latents
from sandbox.generators._adversarial.regularizers import PackedRegularizers, Regularizers
from sandbox.generators._adversarial.training import ADAM, AdversarialTrainer, Decay
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import Backbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.labeled import Labeled, LabeledConfig


class CGANConfig(GeneratorConfig):
    """`latent_size`: Z; `average_decay` and `discriminator_steps`: to an update of the generator."""

    name: Literal["cgan"] = "cgan"
    backbone: Backbone = Strided()
    latent_size: PositiveInt = 100
    average_decay: Decay = 0.999
    discriminator_steps: PositiveInt = 1
    discriminator_optimizer: AnyOptimizer = ADAM
    generator_optimizer: AnyOptimizer = ADAM
    regularizers: PackedRegularizers = Regularizers()
    stream: LabeledConfig = LabeledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "CGAN":
        return CGAN(self, spec, rng, compute)


class CGAN:
    """The game of `gan`, class by class: both networks are given the one-hot class beside what they are given there."""

    def __init__(self, config: CGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Raises UserError for points, and for data without labels."""
        channels, *sides = image_shape(spec, "cgan")
        self._classes = ClassLabels(spec, "cgan", rng, compute)
        with rng.initializing("cgan/discriminator"):
            shape = (channels + self._classes.number, *sides)
            discriminator = Discriminator(config.backbone, shape, config.regularizers)
        with rng.initializing("cgan/generator"):
            generator = mirror(config.backbone, config.latent_size + self._classes.number, spec.shape)
        self._noise = Latents(config.latent_size, rng, compute)
        self._duel = AdversarialTrainer(config, NON_SATURATING, generator, discriminator, rng, compute)

    def update(self, batch: Labeled) -> Metrics:
        """The generator makes images of the batch's classes."""
        duel, classes = self._duel, self._classes.of(batch)

        def fake() -> torch.Tensor:
            z = self._classes.concatenate(self._noise.training(len(classes)), classes)
            return self._classes.as_planes(self._noise.images(duel.generator, z), classes)

        return duel.play(self._classes.as_planes(batch.images, classes), fake)

    def parts(self) -> dict[str, Stateful]:
        return self._duel.parts()

    @torch.no_grad()
    def _make(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Images of the averaged generator, from [B, Z] and [B]."""
        return self._noise.images(self._duel.average, self._classes.concatenate(z, labels))

    def num_classes(self) -> int:
        return self._classes.number

    def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
        """Images of the classes [B], [B, C, H, W] in [0, 1]."""
        return self._make(self._noise.sampling(len(labels)), labels)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, Z] -> [B, C, H, W] in [0, 1]: row by row of another class, all in turn."""
        return self._make(codes, self._classes.in_turn(len(codes)))

    def latents(self, count: int) -> torch.Tensor:
        return self._noise.sampling(count)

    def sample(self, count: int) -> torch.Tensor:
        """Of classes that are drawn evenly."""
        return self.sample_of(self._classes.sampling(count))

    def preview(self, count: int) -> torch.Tensor:
        """Of all classes in turn."""
        return self.decode(self._noise.preview(count))
