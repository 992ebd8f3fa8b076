"""A pyramid of GANs: the first makes a tiny image, each further one the details that doubling its sides leaves out.

Paper: Denton, Chintala, Szlam & Fergus 2015, "Deep Generative Image Models using a Laplacian Pyramid of Adversarial
    Networks": each level learns by itself, from real images one level up; its discriminator knows the enlarged image.
Deviations: means of 2x2 pixels make the small images (theirs: a blur); a discriminator sees the detailed image and the
    enlarged one beside it (theirs: the detailed one alone); no dropout; Adam; what is said in `_duel.py`.
"""

from itertools import pairwise
from typing import Literal

import torch
from pydantic import PositiveInt
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.discriminator import Discriminator
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
from sandbox.networks.inputs import as_float
from sandbox.networks.mlp import MLP
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import enlarged, halved, sides_of
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig


class LAPGANConfig(GeneratorConfig):
    """`smallest`: backbone of the smallest images, made of `latent_size` numbers; `backbone`: judges all larger ones.

    `detail_channels`: of the convolutions that draw details from the enlarged image and a plane of noise.
    `average_decay` and `discriminator_steps`: to an update of the generators.
    """

    name: Literal["lapgan"] = "lapgan"
    smallest: Backbone = MLP()
    backbone: Backbone = Strided()
    latent_size: PositiveInt = 32
    detail_channels: tuple[PositiveInt, ...] = (32, 32)
    average_decay: Decay = 0.999
    discriminator_steps: PositiveInt = 1
    discriminator_optimizer: AnyOptimizer = ADAM
    generator_optimizer: AnyOptimizer = ADAM
    regularizers: PackedRegularizers = Regularizers()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "LAPGAN":
        return LAPGAN(self, spec, rng, compute)


class Details(nn.Module):
    """Enlarged images and a plane of noise, [B, C + 1, H, W] -> what to add, [B, C, H, W] in (-1, 1)."""

    def __init__(self, channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.convolutions = nn.Sequential()
        for below, above in pairwise((channels + 1, *widths)):
            self.convolutions.extend([nn.Conv2d(below, above, 3, padding=1), nn.BatchNorm2d(above), nn.ReLU()])
        self.convolutions.append(nn.Conv2d((channels + 1, *widths)[-1], channels, 3, padding=1))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.convolutions(x))


class LAPGAN:
    """A duel a level, the smallest first. A code is [Z + the pixels of each larger level's plane of noise]."""

    def __init__(self, config: LAPGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Raises UserError for points, and for images that are too small to be halved."""
        shape = image_shape(spec, "lapgan")
        self._sides = sides_of(shape)[::-1]
        if len(self._sides) == 1:
            raise UserError(
                f"generator.name=lapgan halves images until their sides are 4 to 7, but these are "
                f"{shape[1]}x{shape[2]}. Take larger ones, or generator.name=dcgan."
            )
        with rng.initializing("lapgan/smallest"):
            small = (shape[0], *self._sides[0])
            pair = (mirror(config.smallest, config.latent_size, small), config.smallest, small)
            self._levels = [self._duel(config, *pair, rng.child("level_0"), compute)]
        for number, sides in enumerate(self._sides[1:], 1):
            with rng.initializing(f"lapgan/{number}"):
                pair = (Details(shape[0], config.detail_channels), config.backbone, (2 * shape[0], *sides))
                self._levels.append(self._duel(config, *pair, rng.child(f"level_{number}"), compute))
        self._compute = compute
        self._sizes = [config.latent_size, *(height * width for height, width in self._sides[1:])]
        self._noise = Latents(sum(self._sizes), rng, compute)

    @staticmethod
    def _duel(
        config: LAPGANConfig,
        generator: nn.Module,
        backbone: Backbone,
        shape: tuple[int, ...],
        rng: Rng,
        compute: Compute,
    ) -> AdversarialTrainer:
        return AdversarialTrainer(
            config, NON_SATURATING, generator, Discriminator(backbone, shape, config.regularizers), rng, compute
        )

    def update(self, batch: torch.Tensor) -> Metrics:
        """Every level plays once, with its metrics under its number, 0 the smallest; `loss` is the sum of theirs."""
        images = [as_float(batch)]
        for _ in self._levels[1:]:
            images.insert(0, halved(images[0]))
        smallest, *larger = self._levels
        noise, *planes = torch.split(self._noise.training(len(batch)), self._sizes, 1)
        played = [smallest.play(images[0], lambda: self._noise.images(smallest.generator, noise))]
        for duel, (below, image), plane in zip(larger, pairwise(images), planes, strict=True):
            played.append(self._play(duel, enlarged(below, image.shape[2:]), image, plane))
        metrics = {f"level_{i}/{name}": value for i, found in enumerate(played) for name, value in found.items()}
        return {"loss": torch.stack([torch.as_tensor(found["loss"]) for found in played]).sum(), **metrics}

    def _play(self, duel: AdversarialTrainer, plain: torch.Tensor, image: torch.Tensor, plane: torch.Tensor) -> Metrics:
        """One level's update, on real images [B, C, H, W] and what enlarging smaller ones gives, `plain`."""
        return duel.play(
            torch.cat([image, plain], 1),
            lambda: torch.cat([self._detailed(duel.generator, plain, plane), plain], 1),
        )

    def _detailed(self, network: nn.Module, plain: torch.Tensor, plane: torch.Tensor) -> torch.Tensor:
        """The enlarged images [B, C, H, W] with what `network` adds to them by the noise [B, H * W]."""
        with self._compute.autocast():
            band = network(torch.cat([plain, plane.view(-1, 1, *plain.shape[2:])], 1))
        return plain + band.float()

    def parts(self) -> dict[str, Stateful]:
        return {f"level_{i}.{name}": part for i, duel in enumerate(self._levels) for name, part in duel.parts().items()}

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Up the pyramid of averaged generators: [B, codes] -> [B, C, H, W], cut to [0, 1]."""
        noise, *planes = torch.split(codes, self._sizes, 1)
        images = self._noise.images(self._levels[0].average, noise)
        for duel, sides, plane in zip(self._levels[1:], self._sides[1:], planes, strict=True):
            images = self._detailed(duel.average, enlarged(images, sides), plane).clamp(0, 1)
        return images

    def latents(self, count: int) -> torch.Tensor:
        return self._noise.sampling(count)

    def sample(self, count: int) -> torch.Tensor:
        return self.decode(self._noise.sampling(count))

    def preview(self, count: int) -> torch.Tensor:
        return self.decode(self._noise.preview(count))
