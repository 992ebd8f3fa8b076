"""Two GANs, one after the other: the first sketches a small image of a class, the second redraws it at full size.

Paper: Zhang et al. 2017, "StackGAN: Text to Photo-realistic Image Synthesis with Stacked Generative Adversarial
    Networks": stage I learns alone, then stage II with stage I at rest; each draws its condition anew from a normal
    distribution around the embedding (conditioning augmentation), with its KL divergence to N(0, 1) in the loss.
Deviations: classes take the place of sentences, in the discriminators as planes of 0s and 1s; no real images with a
    wrong condition among the fakes; stage II keeps the sketch's sides, then doubles them (theirs: first a quarter, then
    16 times that), and sees sketches of stage I's average; Adam as Radford et al. 2016; what is said in `_duel.py`.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import nn
from torch.nn import functional as F

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
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
from sandbox.networks.inputs import as_float, in_fp32
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import enlarged, halved
from sandbox.ops.likelihood import gaussian_kl
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.labeled import Labeled, LabeledConfig


class StackGANConfig(GeneratorConfig):
    """`stage_one_steps`: updates of stage I, before stage II begins. `sketch` and `backbone`: what judges in either.

    `condition_size`: of the drawn condition; `kl_weight`: of its divergence, summed over it: with 1, the class would
    cost more than it gains. `channels`: width of stage II; `average_decay` and `discriminator_steps`: to an update of
    a generator.
    """

    name: Literal["stackgan"] = "stackgan"
    stage_one_steps: PositiveInt = 10_000
    stage_one: Backbone = Strided(channels=(64,))
    backbone: Backbone = Strided()
    latent_size: PositiveInt = 64
    condition_size: PositiveInt = 16
    kl_weight: NonNegativeFloat = 0.05
    channels: PositiveInt = 32
    average_decay: Decay = 0.999
    discriminator_steps: PositiveInt = 1
    discriminator_optimizer: AnyOptimizer = ADAM
    generator_optimizer: AnyOptimizer = ADAM
    regularizers: PackedRegularizers = Regularizers()
    stream: LabeledConfig = LabeledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "StackGAN":
        return StackGAN(self, spec, rng, compute)


class Drawn(NamedTuple):
    """`logits` of images [B, C, H, W] and the KL divergence of their conditions [B], nats."""

    logits: torch.Tensor
    kl: torch.Tensor


class Condition(nn.Module):
    """Conditioning augmentation: one-hot classes [B, K] and normal noise [B, E] -> a draw [B, E] and its KL [B]."""

    def __init__(self, num_classes: int, size: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(num_classes, 2 * size)

    def forward(self, classes: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, log_variance = in_fp32(self.embedding, classes).chunk(2, 1)
        return mean + (0.5 * log_variance).exp() * noise, gaussian_kl(mean, log_variance)


class StageOne(nn.Module):
    """Stage I: classes [B, K], noise of the condition [B, E], latents [B, Z]."""

    def __init__(self, config: StackGANConfig, num_classes: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.condition = Condition(num_classes, config.condition_size)
        self.decoder = mirror(config.stage_one, config.condition_size + config.latent_size, shape)

    def forward(self, classes: torch.Tensor, noise: torch.Tensor, z: torch.Tensor) -> Drawn:
        condition, kl = self.condition(classes, noise)
        return Drawn(self.decoder(torch.cat([condition, z], 1)), kl)


def _convolution(below: int, above: int) -> list[nn.Module]:
    return [nn.Conv2d(below, above, 3, padding=1, bias=False), nn.BatchNorm2d(above)]


class Residual(nn.Module):
    """[B, W, H, W'] -> the same: what two convolutions add."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.change = nn.Sequential(*_convolution(width, width), nn.ReLU(), *_convolution(width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.change(x))


class StageTwo(nn.Module):
    """Stage II: classes [B, K], noise of the condition [B, E], sketches [B, C, h, w]."""

    def __init__(self, config: StackGANConfig, num_classes: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        width, (channels, *self._sides) = config.channels, shape
        self.condition = Condition(num_classes, config.condition_size)
        self.look = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU())
        self.think = nn.Sequential(
            *_convolution(width + config.condition_size, width), nn.ReLU(), Residual(width), Residual(width)
        )
        self.paint = nn.Sequential(*_convolution(width, width), nn.ReLU(), nn.Conv2d(width, channels, 3, padding=1))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, classes: torch.Tensor, noise: torch.Tensor, sketch: torch.Tensor) -> Drawn:
        condition, kl = self.condition(classes, noise)
        everywhere = condition[:, :, None, None].expand(-1, -1, *sketch.shape[2:])
        features = self.look(2 * sketch - 1)
        features = self.think(torch.cat([features, everywhere.to(features)], 1))
        return Drawn(self.paint(F.interpolate(features, size=tuple(self._sides))), kl)


class StackGAN:
    """A code is [E + Z + E]: noise of stage I's condition, its latents, noise of stage II's condition."""

    def __init__(self, config: StackGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Raises UserError for points, data without labels, and images that cannot be halved."""
        shape = image_shape(spec, "stackgan")
        if min(shape[1:]) < 2:
            raise UserError(
                f"generator.name=stackgan halves images, but these are {shape[1]}x{shape[2]}. "
                "Take larger ones, or generator.name=cgan."
            )
        self._config, self._classes, self._compute = config, ClassLabels(spec, "stackgan", rng, compute), compute
        number = self._classes.number
        self._sides = shape[1:]
        small = (shape[0], shape[1] // 2, shape[2] // 2)
        with rng.initializing("stackgan/sketch"):
            judge = Discriminator(config.stage_one, (small[0] + number, *small[1:]), config.regularizers)
            self._stage_one = AdversarialTrainer(
                config, NON_SATURATING, StageOne(config, number, small), judge, rng.child("stage_one"), compute
            )
        with rng.initializing("stackgan/paint"):
            judge = Discriminator(config.backbone, (shape[0] + number, *shape[1:]), config.regularizers)
            self._stage_two = AdversarialTrainer(
                config, NON_SATURATING, StageTwo(config, number, shape), judge, rng.child("stage_two"), compute
            )
        self._sizes = [config.condition_size, config.latent_size, config.condition_size]
        self._noise, self._updates = Latents(sum(self._sizes), rng, compute), Counter()

    def update(self, batch: Labeled) -> Metrics:
        """`stage`: 1 or 2, the one that learns; `kl` of its condition, nats. The images are of the batch's classes."""
        classes = self._classes.of(batch)
        hot, images = self._classes.one_hot(classes), as_float(batch.images)
        code = torch.split(self._noise.training(len(classes)), self._sizes, 1)
        self._updates.value += 1
        if self._updates.value <= self._config.stage_one_steps:
            sketcher = self._stage_one.generator
            found = self._play(self._stage_one, halved(images), classes, lambda: sketcher(hot, code[0], code[1]))
            return {**found, "stage": 1.0}
        with torch.no_grad(), self._compute.autocast():
            sketch = _picture(self._stage_one.average(hot, code[0], code[1]))
        painter = self._stage_two.generator
        return {**self._play(self._stage_two, images, classes, lambda: painter(hot, code[2], sketch)), "stage": 2.0}

    def _play(
        self, duel: AdversarialTrainer, real: torch.Tensor, classes: torch.Tensor, draw: Callable[[], Drawn]
    ) -> Metrics:
        """One stage's update on real images and the classes [B] of both kinds."""
        kls = list[torch.Tensor]()

        def fake() -> torch.Tensor:
            with self._compute.autocast():
                drawn = draw()
            kls.append(drawn.kl.mean())
            return self._classes.as_planes(_picture(drawn), classes)

        weight = self._config.kl_weight
        metrics = duel.play(self._classes.as_planes(real, classes), fake, more=lambda *_: weight * kls[0])
        return {**metrics, "kl": kls[0].detach()}

    def parts(self) -> dict[str, Stateful]:
        duels = {"stage_one": self._stage_one, "stage_two": self._stage_two}
        parts = {f"{stage}.{name}": part for stage, duel in duels.items() for name, part in duel.parts().items()}
        return {**parts, "updates": self._updates}

    @torch.no_grad()
    def _make(self, codes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Images of the averaged generators; before stage II begins, enlarged sketches."""
        hot, code = self._classes.one_hot(labels), torch.split(codes, self._sizes, 1)
        with self._compute.autocast():
            sketch = _picture(self._stage_one.average(hot, code[0], code[1]))
            if self._updates.value <= self._config.stage_one_steps:
                return enlarged(sketch, self._sides)
            return _picture(self._stage_two.average(hot, code[2], sketch))

    def num_classes(self) -> int:
        return self._classes.number

    def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
        """Images of the classes [B], [B, C, H, W] in [0, 1]."""
        return self._make(self._noise.sampling(len(labels)), labels)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, E + Z + E] -> [B, C, H, W] in [0, 1]: row by row of another class, all in turn."""
        return self._make(codes, self._classes.in_turn(len(codes)))

    def latents(self, count: int) -> torch.Tensor:
        return self._noise.sampling(count)

    def sample(self, count: int) -> torch.Tensor:
        """Of classes that are drawn evenly."""
        return self.sample_of(self._classes.sampling(count))

    def preview(self, count: int) -> torch.Tensor:
        """Of all classes in turn."""
        return self.decode(self._noise.preview(count))


def _picture(drawn: Drawn) -> torch.Tensor:
    return torch.sigmoid(drawn.logits.float())
