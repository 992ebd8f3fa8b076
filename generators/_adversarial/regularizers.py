"""Parts that steady a game between two networks, each an object or a number that any member takes.

Papers: Salimans et al. 2016, "Improved Techniques for Training GANs" (feature matching, minibatch discrimination,
historical averaging, one-sided label smoothing); Lin et al. 2018, "PacGAN" (packing); Sonderby et al. 2017, "Amortised
MAP Inference for Image Super-resolution" (instance noise).
"""

from collections.abc import Sequence
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt, ValidationInfo
from torch import nn

from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.networks.inputs import as_float


class MinibatchDiscrimination(Config):
    """Features of how close an image is to the others of its batch: `num_kernels` of them, in `kernel_size` dims."""

    num_kernels: PositiveInt = 16
    kernel_size: PositiveInt = 8

    def make(self, in_features: int) -> "MinibatchDiscriminationLayer":
        return MinibatchDiscriminationLayer(self, in_features)


class MinibatchDiscriminationLayer(nn.Module):
    """[B, F] -> [B, F + num_kernels]: what is near to an image in the batch, beside its own features."""

    def __init__(self, config: MinibatchDiscrimination, in_features: int) -> None:
        super().__init__()
        self._shape = (config.num_kernels, config.kernel_size)
        self.kernels = nn.Linear(in_features, config.num_kernels * config.kernel_size, bias=False)
        self.out_features = in_features + config.num_kernels

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        rows = self.kernels(features).view(-1, *self._shape)
        distances = (rows[:, None] - rows[None]).abs().sum(3)  # [B, B, kernels]
        others = torch.exp(-distances).sum(1) - 1  # without itself
        return torch.cat([features, others.to(features)], 1)


class ExponentialDecay(Config):
    """A deviation that goes from `start` to `end` by the same factor each step, over `steps` steps; then 0."""

    start: PositiveFloat = 0.1
    end: PositiveFloat = 0.001
    steps: PositiveInt = 10_000

    def at(self, step: int) -> float:
        return self.start * (self.end / self.start) ** (step / self.steps) if step < self.steps else 0.0


class Regularizers(Config):
    """What a game is played with besides its losses; by default nothing.

    `label_smoothing`: the target of real images is 1 - this. `pack_size`: images that are judged at once, real ones
    with real ones. `feature_matching`: share of the generator's loss that is the distance of mean features (1: all,
    as in the paper). `historical_averaging`: weight of each player's squared distance to its own past mean.
    `instance_noise`: standard deviation of the normal noise on all that is judged, real and fake, at each update: while
    it is large, modes run into each other and the generator is drawn to all of them.
    """

    label_smoothing: float = Field(default=0.0, ge=0.0, lt=0.5)
    pack_size: PositiveInt = 1
    minibatch_discrimination: MinibatchDiscrimination | None = None
    feature_matching: float = Field(default=0.0, ge=0.0, le=1.0)
    historical_averaging: NonNegativeFloat = 0.0
    instance_noise: ExponentialDecay | None = None


def _whole_packs(regularizers: Regularizers, info: ValidationInfo) -> Regularizers:
    """Raises ValueError if a batch of the stream, which a config has before all else, is not so many whole packs."""
    if "stream" not in info.data:  # it has mistakes of its own
        return regularizers
    size, pack = info.data["stream"].batch_size, regularizers.pack_size
    if size % pack:
        raise ValueError(
            f"pack_size={pack} does not divide generator.stream.batch_size={size}. "
            f"Set generator.stream.batch_size={max(size // pack, 1) * pack}, or another multiple of {pack}"
        )
    return regularizers


PackedRegularizers = Annotated[Regularizers, AfterValidator(_whole_packs)]  # of a member that judges whole packs


class WeightHistory:
    """The mean of a network's weights over all of its updates, and how far they are from it."""

    def __init__(self, weights: Sequence[nn.Parameter]) -> None:
        self._weights = list(weights)
        self._means = [weight.detach().clone() for weight in weights]
        self._count = 0

    def distance(self) -> torch.Tensor:
        """|weights - mean of those before|^2, which pulls the weights; then they count among those before."""
        squares = [(weight - mean).square().sum() for weight, mean in zip(self._weights, self._means, strict=True)]
        self._count += 1
        now = [weight.detach() for weight in self._weights]
        self._means = [torch.lerp(mean, weight, 1 / self._count) for mean, weight in zip(self._means, now, strict=True)]
        return torch.stack(squares).sum()

    def state_dict(self) -> dict[str, Any]:
        return {"count": self._count, "means": list(self._means)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._count = state["count"]
        pairs = zip(state["means"], self._weights, strict=True)
        self._means = [torch.empty_like(weight).copy_(mean) for mean, weight in pairs]  # in its layout


class InstanceNoise:
    """Adds `instance_noise` to what goes into a discriminator."""

    def __init__(self, regularizers: Regularizers, rng: Rng, compute: Compute) -> None:
        self._fading, self._generator = regularizers.instance_noise, rng.torch("tricks/instance_noise", compute.device)

    def over(self, x: torch.Tensor, update: int) -> torch.Tensor:
        """[B, ...] with the noise of that update; bytes become floats in [0, 1]."""
        deviation = 0.0 if self._fading is None else self._fading.at(update)
        if not deviation:
            return x
        noise = torch.randn(x.shape, generator=self._generator, device=x.device)
        return as_float(x).add(noise, alpha=deviation)
