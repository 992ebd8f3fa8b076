"""LAPGAN: a Laplacian pyramid of GANs; the first generates a tiny image, each further one doubles it and adds details.

Paper: Denton, Chintala, Szlam & Fergus 2015, "Deep Generative Image Models using a Laplacian Pyramid of Adversarial
    Networks": each level is trained by itself, on enlarged real images; its discriminator is given the enlarged image.
Deviations: means of 2x2 pixels make the small images (the paper blurs first); a discriminator sees the image with its
    details and the enlarged image (the paper: the former alone); no dropout; Adam; those of all GANs
    (`generators/_adversarial/training.py`).
"""

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Channels, Units
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.config import AdversarialConfig
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.latents import Latents
from sandbox.generators._adversarial.training import AdversarialTrainer
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.capabilities import HasLatents, HasPreview
from sandbox.interfaces.generator import Generator
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.inputs import as_float
from sandbox.networks.mlp import MLP
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import downsample, pyramid_sizes, upsample
from sandbox.streams.shuffled import ShuffledConfig


class LAPGANConfig(AdversarialConfig):
    """Options of a LAPGAN."""

    name: Literal["lapgan"] = "lapgan"
    smallest: AnyBackbone = Field(
        MLP(), description="the discriminator of the smallest images; its mirror image is their generator"
    )
    backbone: AnyBackbone = Field(Strided(), description="the discriminator of each larger level")
    latent_size: Units = Field(32, description="number of normal latents Z of the smallest image")
    detail_channels: tuple[Channels, ...] = Field(
        (32, 32), description="channels of the convolutions that generate details, from the first one on"
    )
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "LAPGAN":
        return LAPGAN(self, spec, rng, compute)


class DetailGenerator(nn.Module):
    """Generates the details of an enlarged image: convolutions over the image and a plane of noise."""

    def __init__(self, channels: int, widths: tuple[int, ...]) -> None:
        """Build the network for images of `channels` channels, with hidden layers of these widths."""
        super().__init__()
        self.convolutions = nn.Sequential()
        for below, above in pairwise((channels + 1, *widths)):
            self.convolutions.extend([nn.Conv2d(below, above, 3, padding=1), nn.BatchNorm2d(above), nn.ReLU()])
        self.convolutions.append(nn.Conv2d((channels + 1, *widths)[-1], channels, 3, padding=1))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return details [B, C, H, W] in (-1, 1) for an image and noise, [B, C + 1, H, W]."""
        return torch.tanh(self.convolutions(x))


class LAPGAN(Generator, HasPreview, HasLatents):
    """A Laplacian pyramid of GANs.

    A code is [Z + sum of H * W]: the latents of the smallest image, and a plane of noise for each larger level.
    """

    def __init__(self, config: LAPGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Build the networks of all levels, the smallest images first.

        Raises:
            UserError: For points, and for images that are too small to be halved.
        """
        shape = image_shape(spec, "lapgan")
        self._sides = pyramid_sizes(shape)[::-1]
        if len(self._sides) == 1:
            raise UserError(
                f"generator.name=lapgan halves images until their sides are 4 to 7, but these are "
                f"{shape[1]}x{shape[2]}. Use larger images, or generator.name=dcgan."
            )
        channels = shape[0]
        self._levels: list[AdversarialTrainer] = []
        for level, sides in enumerate(self._sides):
            generator: nn.Module
            with rng.initializing("lapgan/smallest" if level == 0 else f"lapgan/{level}"):
                if level == 0:
                    generator = mirror(config.smallest, config.latent_size, (channels, *sides))
                    discriminator = Discriminator(config.smallest, (channels, *sides), config.regularizers)
                else:
                    generator = DetailGenerator(channels, config.detail_channels)
                    discriminator = Discriminator(config.backbone, (2 * channels, *sides), config.regularizers)
            streams = rng.child(f"level_{level}")
            self._levels.append(AdversarialTrainer(config, NON_SATURATING, generator, discriminator, streams, compute))
        self._compute = compute
        self._sizes = [config.latent_size, *(height * width for height, width in self._sides[1:])]
        self._latents = Latents(sum(self._sizes), rng, compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Update every level once.

        Metrics are those of each level, 0 the smallest, under `level_0/` and so on; `loss` is their sum.
        """
        images = [as_float(batch)]  # of each level, the smallest first
        for _ in self._levels[1:]:
            images.insert(0, downsample(images[0]))
        z, *planes = torch.split(self._latents.training(len(batch)), self._sizes, 1)
        level_metrics = [self._update_level(self._levels[0], images[0], self._levels[0].generate(z))]
        for trainer, (small, real), plane in zip(self._levels[1:], pairwise(images), planes, strict=True):
            enlarged = upsample(small, real.shape[2:])
            with trainer.generator_grad():
                fake = self._add_details(trainer.generator, enlarged, plane)
            pair = torch.cat([real, enlarged], 1), torch.cat([fake, enlarged], 1)
            level_metrics.append(self._update_level(trainer, *pair))
        metrics = {f"level_{level}/{name}": x for level, own in enumerate(level_metrics) for name, x in own.items()}
        return {"loss": torch.stack([own["loss"] for own in level_metrics]).sum(), **metrics}

    @staticmethod
    def _update_level(trainer: AdversarialTrainer, real: torch.Tensor, fake: torch.Tensor) -> dict[str, torch.Tensor]:
        """Update a level's discriminator, and in every `discriminator_steps`-th update its generator."""
        # The discriminator maximizes log D(x) + log(1 - D(G(z))); above level 0 it also sees the enlarged image.
        metrics = trainer.discriminator_step(trainer.discriminate(real, fake.detach()))
        if trainer.generator_due():
            # The generator maximizes log D(G(z)).
            metrics |= trainer.generator_step(trainer.discriminate_fake(fake))
        return metrics

    def _add_details(self, generator: nn.Module, enlarged: torch.Tensor, plane: torch.Tensor) -> torch.Tensor:
        """Add generated details to enlarged images [B, C, H, W]; `plane` is their noise [B, H * W]."""
        with self._compute.autocast():
            details = generator(torch.cat([enlarged, plane.view(-1, 1, *enlarged.shape[2:])], 1))
        return enlarged + details.float()

    def parts(self) -> dict[str, Stateful]:
        return {
            f"level_{level}.{name}": part
            for level, trainer in enumerate(self._levels)
            for name, part in trainer.parts().items()
        }

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Generate images from codes level by level, with the averaged generators: [B, C, H, W], clipped to [0, 1]."""
        z, *planes = torch.split(codes, self._sizes, 1)
        images = self._levels[0].generate_averaged(z)
        for trainer, sides, plane in zip(self._levels[1:], self._sides[1:], planes, strict=True):
            images = self._add_details(trainer.average.network, upsample(images, sides), plane).clamp(0, 1)
        return images

    def latents(self, count: int) -> torch.Tensor:
        return self._latents.sampling(count)

    def sample(self, count: int) -> torch.Tensor:
        return self.decode(self._latents.sampling(count))

    def preview(self, count: int) -> torch.Tensor:
        return self.decode(self._latents.preview(count))
