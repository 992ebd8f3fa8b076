"""CycleGAN: image-to-image translation without pairs, with a cycle-consistency loss.

Paper: Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks".
Deviations: small networks for small images, of any widths; patches of 10 pixels with the default channels (the paper:
    70, in images of 256); any batch size (the paper: 1); the learning rate decays only if the optimizer's options say
    so; errors are those of pixels in [0, 1], half as large as the paper's, and so are the generators' adversarial
    losses; the identity loss needs source images and images with the same number of channels; translations come from
    moving averages of the weights (Yazici et al. 2019).
"""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Channels, Depth, NonNegative, NumChains
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._adversarial.config import ADAM, AverageDecay, DiscriminatorOptimizer, GeneratorOptimizer
from sandbox.generators._adversarial.discriminator import DiscriminatorOutput
from sandbox.generators._adversarial.image_pool import ImagePool
from sandbox.generators._adversarial.patch_discriminator import PatchDiscriminator
from sandbox.generators._images.preview_images import PreviewImages
from sandbox.generators._images.shapes import require_shape, source_shape
from sandbox.interfaces.capabilities import HasBackTranslation, HasTranslation
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float, as_pixels
from sandbox.networks.translator import Translator
from sandbox.networks.weight_average import WeightAverage
from sandbox.ops.adversarial import LEAST_SQUARES, forward_without_buffer_updates
from sandbox.streams.paired import Both
from sandbox.streams.unpaired import UnpairedConfig

_Channels = tuple[Channels, ...]
_Images = dict[str, torch.Tensor]  # by the direction whose generator makes such images

_OPPOSITE = {"to_image": "to_source", "to_source": "to_image"}
_STREAMS = {"to_image": "there", "to_source": "back"}  # in names of random streams, which are part of their seeds


class CycleGANConfig(GeneratorConfig):
    """Options of a CycleGAN."""

    no_encoder: ClassVar[str] = "its networks are those of its paper, not backbones"

    name: Literal["cyclegan"] = "cyclegan"
    channels: _Channels = Field(
        (16, 32),
        min_length=1,
        description="channels of the generators: the first at full size, each further one after a halving",
    )
    num_blocks: Depth = Field(3, description="residual blocks of each generator")
    patch_channels: _Channels = Field(
        (32, 64), min_length=1, description="channels of the discriminators' convolutions, each of which halves"
    )
    cycle_weight: NonNegative = Field(10.0, description="weight of the cycle-consistency loss")
    identity_weight: NonNegative = Field(
        5.0, description="weight of the identity loss: the error of a generator for images that need no translation"
    )
    pool_size: NumChains = Field(50, description="earlier generated images kept for each discriminator")
    average_decay: AverageDecay = 0.99
    discriminator_optimizer: DiscriminatorOptimizer = ADAM
    generator_optimizer: GeneratorOptimizer = ADAM
    stream: UnpairedConfig = Field(UnpairedConfig(), description="batches of images and of unrelated source images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "CycleGAN":
        return CycleGAN(self, spec, rng, compute)


class CycleGAN(Generator, HasTranslation, HasBackTranslation):
    """Two generators, `to_image` and `to_source`, each with a discriminator of the images that it makes."""

    def __init__(self, config: CycleGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Build the networks of both directions.

        Raises:
            UserError: For data without source images, or of sizes that do not fit.
        """
        self._config, self._compute = config, compute
        self._shapes = {"to_image": spec.shape, "to_source": source_shape(spec, "cyclegan")}  # of the outputs
        self._generators, self._discriminators = nn.ModuleDict(), nn.ModuleDict()
        self._pools: dict[str, ImagePool] = {}
        for direction, opposite in _OPPOSITE.items():
            shape, streams = self._shapes[direction], rng.child(f"cyclegan/{_STREAMS[direction]}")
            with streams.initializing("generator"):
                generator = Translator(self._shapes[opposite], shape[0], config.channels, config.num_blocks)
            with streams.initializing("discriminator"):
                discriminator = PatchDiscriminator(shape, config.patch_channels)
            choices = streams.torch("pool", compute.device)
            self._pools[direction] = ImagePool(config.pool_size, shape, compute, choices)
            self._generators[direction] = generator.to(compute.device)
            self._discriminators[direction] = discriminator.to(compute.device)
        self._average = WeightAverage(self._generators, config.average_decay)
        self._generator_optimizer = config.generator_optimizer.make(self._generators.parameters(), compute)
        self._discriminator_optimizer = config.discriminator_optimizer.make(self._discriminators.parameters(), compute)
        self._updates = Counter()
        self._preview_images = PreviewImages(self._shapes["to_source"], compute)

    def update(self, batch: Both) -> Metrics:
        """Update both generators, then both discriminators on the images that were generated before.

        Metrics include the mean errors `cycle` and `identity` of a pixel.
        """
        self._preview_images.add(batch.sources)
        real = {"to_image": as_float(batch.images), "to_source": as_float(batch.sources)}
        fake = {
            direction: self._translate(self._generators[direction], real[opposite])
            for direction, opposite in _OPPOSITE.items()
        }
        metrics = self._update_generators(real, fake)
        metrics |= self._update_discriminators(real, fake)
        return {"loss": metrics["generator_loss"] + metrics["discriminator_loss"], **metrics}

    def _update_generators(self, real: _Images, fake: _Images) -> dict[str, torch.Tensor]:
        """Minimize the adversarial, the cycle-consistency and the identity loss of both generators."""
        adversarial_losses, cycle_errors, identity_errors = [], [], []
        for direction, opposite in _OPPOSITE.items():
            generator, discriminator = self._generators[direction], self._discriminators[direction]
            with self._compute.autocast():
                output: DiscriminatorOutput = forward_without_buffer_updates(discriminator, fake[direction])
            adversarial_losses.append(LEAST_SQUARES.generator_loss(output.logits))
            cycled = self._translate(generator, fake[opposite])
            cycle_errors.append((cycled - real[direction]).abs().mean())
            if self._config.identity_weight and self._shapes[direction] == self._shapes[opposite]:
                same = self._translate(generator, real[direction])
                identity_errors.append((same - real[direction]).abs().mean())
        cycle = torch.stack(cycle_errors).sum()
        loss = torch.stack(adversarial_losses).sum() + self._config.cycle_weight * cycle
        metrics = {"cycle": cycle.detach() / 2}
        if identity_errors:
            identity = torch.stack(identity_errors).sum()
            loss = loss + self._config.identity_weight * identity
            metrics["identity"] = identity.detach() / 2
        self._generator_optimizer.minimize(loss)
        self._average.update(self._updates.value)
        self._updates.value += 1
        return {"generator_loss": loss.detach(), **metrics}

    def _update_discriminators(self, real: _Images, fake: _Images) -> dict[str, torch.Tensor]:
        """Minimize the losses of both discriminators, on new and earlier generated images."""
        losses, metrics = [], {}
        for direction, discriminator in self._discriminators.items():
            pooled = self._pools[direction].exchange(fake[direction])
            with self._compute.autocast():
                on_real, on_fake = discriminator(real[direction]).logits, discriminator(pooled).logits
            losses.append(LEAST_SQUARES.discriminator_loss(on_real, on_fake))
            metrics[f"d_real_{direction}"] = on_real.detach().mean()
            metrics[f"d_fake_{direction}"] = on_fake.detach().mean()
        loss = torch.stack(losses).sum()
        self._discriminator_optimizer.minimize(loss)
        return {"discriminator_loss": loss.detach(), **metrics}

    def parts(self) -> dict[str, Stateful]:
        return {
            "generators": self._generators,
            "discriminators": self._discriminators,
            "averages": self._average.network,
            "generator_optimizer": self._generator_optimizer,
            "discriminator_optimizer": self._discriminator_optimizer,
            "updates": self._updates,
            "preview_images": self._preview_images,
            **{f"pool_{direction}": pool for direction, pool in self._pools.items()},
        }

    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        """Translate source images with the averaged generator.

        Raises:
            UserError: For source images of another shape.
        """
        return self._translate_averaged(sources, "to_image")

    def translate_back(self, images: torch.Tensor) -> torch.Tensor:
        """Translate images to source images with the averaged generator.

        Raises:
            UserError: For images of another shape.
        """
        return self._translate_averaged(images, "to_source")

    def sample(self, count: int) -> torch.Tensor:
        """Return translations of source images from the training set, the same ones at every call."""
        return self.translate(self._preview_images.first(count))

    @torch.no_grad()
    def _translate_averaged(self, images: torch.Tensor, direction: str) -> torch.Tensor:
        expected = self._shapes[_OPPOSITE[direction]]
        x = as_pixels(require_shape(images, expected, "cyclegan"), self._compute.device)
        generators = self._average.network
        assert isinstance(generators, nn.ModuleDict)
        return self._translate(generators[direction], x)

    def _translate(self, generator: nn.Module, images: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            logits = generator(images)
        return torch.sigmoid(logits.float())
