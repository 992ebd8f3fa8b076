"""StackGAN: two GANs in a row; stage I generates a small image of a class, stage II refines it at full size.

Paper: Zhang et al. 2017, "StackGAN: Text to Photo-realistic Image Synthesis with Stacked Generative Adversarial
    Networks": stage I is trained alone, then stage II with stage I fixed; each samples its condition from a normal
    distribution around the embedding (conditioning augmentation), whose KL divergence from N(0, 1) is in the loss.
Deviations: classes take the place of sentences, in the discriminators as planes of 0s and 1s; no real images with a
    wrong condition among the fakes; stage II keeps the sides of the small image, then doubles them (the paper's reduces
    them to a quarter, then enlarges them 16 times), and sees images of stage I's averaged generator; Adam as Radford et
    al. 2016; those of all GANs (`generators/_adversarial/training.py`).
"""

from typing import Literal, NamedTuple

import torch
from pydantic import Field, PositiveInt
from torch import nn
from torch.nn import functional as F

from sandbox.config.numbers import NonNegative, Steps, Units
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._adversarial.config import AdversarialConfig
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
from sandbox.networks.inputs import as_float, in_fp32
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import downsample, upsample
from sandbox.ops.likelihood import gaussian_kl
from sandbox.streams.labeled import Labeled, LabeledConfig


class StackGANConfig(AdversarialConfig):
    """Options of a StackGAN."""

    name: Literal["stackgan"] = "stackgan"
    stage_one_steps: Steps = Field(10_000, description="updates of stage I; from then on, stage II learns")
    stage_one: AnyBackbone = Field(
        Strided(channels=(64,)), description="the discriminator of stage I; its mirror image is the generator"
    )
    backbone: AnyBackbone = Field(Strided(), description="the discriminator of stage II")
    latent_size: Units = Field(64, description="number of normal latents Z of stage I, besides its condition")
    condition_size: Units = Field(16, description="size E of the sampled condition")
    kl_weight: NonNegative = Field(
        0.05, description="weight of the condition's KL divergence, summed over E; too large a weight hides the class"
    )
    channels: PositiveInt = Field(32, le=512, description="channels of stage II's generator")
    stream: LabeledConfig = Field(LabeledConfig(), description="batches of images with their labels")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "StackGAN":
        return StackGAN(self, spec, rng, compute)


class StageOutput(NamedTuple):
    """Logits of images [B, C, H, W], and the KL divergence of their conditions [B], nats."""

    logits: torch.Tensor
    kl: torch.Tensor

    def images(self) -> torch.Tensor:
        """Return the images, in [0, 1]."""
        return torch.sigmoid(self.logits.float())


class ConditioningAugmentation(nn.Module):
    """Samples a condition from a normal distribution around the embedding of a class."""

    def __init__(self, num_classes: int, size: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(num_classes, 2 * size)

    def forward(self, classes: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return conditions [B, E] and their KL [B], for one-hot classes [B, K] and normal noise [B, E]."""
        mean, log_variance = in_fp32(self.embedding, classes).chunk(2, 1)
        return mean + (0.5 * log_variance).exp() * noise, gaussian_kl(mean, log_variance)


class StageOne(nn.Module):
    """The generator of small images."""

    def __init__(self, config: StackGANConfig, num_classes: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.condition = ConditioningAugmentation(num_classes, config.condition_size)
        self.decoder = mirror(config.stage_one, config.condition_size + config.latent_size, shape)

    def forward(self, classes: torch.Tensor, noise: torch.Tensor, z: torch.Tensor) -> StageOutput:
        """Generate from classes [B, K], noise of the condition [B, E] and latents [B, Z]."""
        condition, kl = self.condition(classes, noise)
        return StageOutput(self.decoder(torch.cat([condition, z], 1)), kl)


def _convolution(below: int, above: int) -> list[nn.Module]:
    """Build a 3x3 convolution with batch norm; height and width stay the same."""
    return [nn.Conv2d(below, above, 3, padding=1, bias=False), nn.BatchNorm2d(above)]


class Residual(nn.Module):
    """A residual block of two convolutions; the shape stays the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.change = nn.Sequential(*_convolution(width, width), nn.ReLU(), *_convolution(width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.change(x))


class StageTwo(nn.Module):
    """The generator that refines small images at full size."""

    def __init__(self, config: StackGANConfig, num_classes: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        width, (channels, *self._sides) = config.channels, shape
        self.condition = ConditioningAugmentation(num_classes, config.condition_size)
        self.features = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU())
        self.residual = nn.Sequential(
            *_convolution(width + config.condition_size, width), nn.ReLU(), Residual(width), Residual(width)
        )
        self.decoder = nn.Sequential(*_convolution(width, width), nn.ReLU(), nn.Conv2d(width, channels, 3, padding=1))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, classes: torch.Tensor, noise: torch.Tensor, small: torch.Tensor) -> StageOutput:
        """Generate from classes [B, K], noise of the condition [B, E] and stage I's images [B, C, h, w]."""
        condition, kl = self.condition(classes, noise)
        planes = condition[:, :, None, None].expand(-1, -1, *small.shape[2:])
        features = self.features(2 * small - 1)
        features = self.residual(torch.cat([features, planes.to(features)], 1))
        return StageOutput(self.decoder(F.interpolate(features, size=tuple(self._sides))), kl)


class StackGAN(Generator, HasPreview, HasLabeledDecoder):
    """Two stacked GANs.

    A code is [E + Z + E]: noise for stage I's condition, stage I's latents, and noise for stage II's condition.
    """

    def __init__(self, config: StackGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Build the networks of both stages.

        Raises:
            UserError: For points, data without labels, and images that cannot be halved.
        """
        shape = image_shape(spec, "stackgan")
        if min(shape[1:]) < 2:
            raise UserError(
                f"generator.name=stackgan halves images, but these are {shape[1]}x{shape[2]}. "
                "Use larger images, or generator.name=cgan."
            )
        self._config, self._compute = config, compute
        self._classes = ClassLabels(spec, "stackgan", rng, compute)
        num_classes = self._classes.num_classes
        self._sides = shape[1:]
        small = (shape[0], shape[1] // 2, shape[2] // 2)  # shape of stage I's images
        # The names of these random streams are older than those of the stages; a name is part of its stream's seed.
        with rng.initializing("stackgan/sketch"):
            discriminator = Discriminator(config.stage_one, (small[0] + num_classes, *small[1:]), config.regularizers)
            generator: nn.Module = StageOne(config, num_classes, small)
        self._stage_one = AdversarialTrainer(
            config, NON_SATURATING, generator, discriminator, rng.child("stage_one"), compute
        )
        with rng.initializing("stackgan/paint"):
            discriminator = Discriminator(config.backbone, (shape[0] + num_classes, *shape[1:]), config.regularizers)
            generator = StageTwo(config, num_classes, shape)
        self._stage_two = AdversarialTrainer(
            config, NON_SATURATING, generator, discriminator, rng.child("stage_two"), compute
        )
        self._sizes = [config.condition_size, config.latent_size, config.condition_size]
        self._latents, self._updates = Latents(sum(self._sizes), rng, compute), Counter()

    def update(self, batch: Labeled) -> Metrics:
        """Update stage I for `stage_one_steps` updates, then stage II.

        Metrics include `stage`, 1 or 2, and `kl`, the mean divergence of its conditions in nats.
        """
        labels = self._classes.of_batch(batch)
        classes, images = self._classes.one_hot(labels), as_float(batch.images)
        noise_one, z, noise_two = torch.split(self._latents.training(len(labels)), self._sizes, 1)
        self._updates.value += 1
        if self._updates.value <= self._config.stage_one_steps:
            metrics = self._update_stage(self._stage_one, downsample(images), labels, classes, noise_one, z)
            return {**metrics, "stage": 1.0}
        with torch.no_grad():
            small = self._small_images(classes, noise_one, z)
        metrics = self._update_stage(self._stage_two, images, labels, classes, noise_two, small)
        return {**metrics, "stage": 2.0}

    def _update_stage(
        self, trainer: AdversarialTrainer, real: torch.Tensor, labels: torch.Tensor, *inputs: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Update a stage's discriminator, and in every `discriminator_steps`-th update its generator.

        Args:
            trainer: The stage.
            real: Images in its size.
            labels: Labels [B] of the real and of the generated images.
            inputs: Arguments of its generator.
        """
        with trainer.generator_grad(), self._compute.autocast():
            generated = trainer.generator(*inputs)
        kl = generated.kl.mean()
        fake = self._classes.append_planes(generated.images(), labels)  # G(z|y), y
        # The discriminator maximizes log D(x|y) + log(1 - D(G(z|y))).
        outputs = trainer.discriminate(self._classes.append_planes(real, labels), fake.detach())
        metrics = trainer.discriminator_step(outputs)
        if trainer.generator_due():
            # The generator maximizes log D(G(z|y)) - kl_weight KL.
            output = trainer.discriminate_fake(fake)
            metrics |= trainer.generator_step(output, extra_loss=self._config.kl_weight * kl)
        return metrics | {"kl": kl.detach()}

    def _small_images(self, classes: torch.Tensor, noise: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Generate with stage I's averaged generator: [B, C, h, w] in [0, 1]."""
        with self._compute.autocast():
            generated: StageOutput = self._stage_one.average.network(classes, noise, z)
            return generated.images()

    def parts(self) -> dict[str, Stateful]:
        stages = {"stage_one": self._stage_one, "stage_two": self._stage_two}
        parts = {f"{stage}.{name}": part for stage, own in stages.items() for name, part in own.parts().items()}
        return {**parts, "updates": self._updates}

    @torch.no_grad()
    def decode_as(self, codes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Generate with the averaged generators; before stage II learns, enlarge the images of stage I."""
        classes = self._classes.one_hot(labels)
        noise_one, z, noise_two = torch.split(codes, self._sizes, 1)
        small = self._small_images(classes, noise_one, z)
        with self._compute.autocast():
            if self._updates.value <= self._config.stage_one_steps:
                return upsample(small, self._sides)
            generated: StageOutput = self._stage_two.average.network(classes, noise_two, small)
            return generated.images()

    def num_classes(self) -> int:
        return self._classes.num_classes

    def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
        return self.decode_as(self._latents.sampling(len(labels)), labels)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Generate images from codes [B, E + Z + E], of all classes in turn: [B, C, H, W] in [0, 1]."""
        return self.decode_as(codes, self._classes.cycle(len(codes)))

    def latents(self, count: int) -> torch.Tensor:
        return self._latents.sampling(count)

    def sample(self, count: int) -> torch.Tensor:
        """Return samples of classes drawn from the uniform distribution."""
        return self.sample_of(self._classes.sample(count))

    def preview(self, count: int) -> torch.Tensor:
        """Return samples of all classes in turn, from the same latents at every call."""
        return self.decode(self._latents.preview(count))
