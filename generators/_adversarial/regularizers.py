"""Regularizers of adversarial training, each an option of any member.

Papers: Salimans et al. 2016, "Improved Techniques for Training GANs" (feature matching, minibatch discrimination,
historical averaging, one-sided label smoothing); Lin et al. 2018, "PacGAN" (packing); Sønderby et al. 2017, "Amortised
MAP Inference for Image Super-resolution" (instance noise).
"""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, Field, PositiveInt, ValidationInfo
from torch import nn

from sandbox.config.base import Config
from sandbox.config.numbers import Depth, NonNegative, Positive, Steps
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.networks.inputs import as_float


class MinibatchDiscrimination(Config):
    """Minibatch discrimination: features of an image's similarity to the other images of its batch."""

    num_kernels: PositiveInt = Field(16, le=512, description="number of similarity features")
    kernel_size: PositiveInt = Field(8, le=512, description="dimensions in which each of them compares the images")

    def make(self, in_features: int) -> "MinibatchDiscriminationLayer":
        """Build the layer on top of `in_features` features."""
        return MinibatchDiscriminationLayer(self, in_features)


class MinibatchDiscriminationLayer(nn.Module):
    """The layer of minibatch discrimination: [B, F] to [B, F + num_kernels].

    It appends to an image's features how similar the image is to the rest of its batch.
    """

    def __init__(self, config: MinibatchDiscrimination, in_features: int) -> None:
        super().__init__()
        self._shape = (config.num_kernels, config.kernel_size)
        self.kernels = nn.Linear(in_features, config.num_kernels * config.kernel_size, bias=False)
        self.out_features = in_features + config.num_kernels

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        projected = self.kernels(features).view(-1, *self._shape)
        distances = (projected[:, None] - projected[None]).abs().sum(3)  # [B, B, kernels]
        similarities = torch.exp(-distances).sum(1) - 1  # without the image itself
        return torch.cat([features, similarities.to(features)], 1)


class ExponentialDecay(Config):
    """A standard deviation that decays exponentially, and is 0 from step `steps` on."""

    start: Positive = Field(0.1, description="standard deviation at step 0")
    end: Positive = Field(
        0.001, description="limit of the decay just before step `steps`; from that step on, there is no noise"
    )
    steps: Steps = Field(10_000, description="length of the decay, in updates")

    def at(self, step: int) -> float:
        """Return the standard deviation at `step`."""
        return self.start * (self.end / self.start) ** (step / self.steps) if step < self.steps else 0.0


class Regularizers(Config):
    """Regularizers of adversarial training; all are off by default."""

    label_smoothing: float = Field(
        0.0, ge=0.0, lt=0.5, description="the discriminator's target for real images is 1 minus this"
    )
    pack_size: Depth = Field(
        1, description="images that the discriminator sees at once (PacGAN); it must divide the batch size"
    )
    minibatch_discrimination: MinibatchDiscrimination | None = Field(
        None, description="features for the discriminator of how similar the images of a batch are; null: off"
    )
    feature_matching: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="share of the generator's loss that is the distance of the mean features of real and of generated "
        "images; 1: all of it, as in the paper",
    )
    historical_averaging: NonNegative = Field(
        0.0, description="weight of the squared distance of each network's weights to their mean over all updates"
    )
    instance_noise: ExponentialDecay | None = Field(
        None, description="normal noise on all inputs of the discriminator, real and generated; null: off"
    )

    def compares_images(self) -> str:
        """Return why the loss of a batch is not the mean over its images, as the end of a sentence; empty if it is."""
        if self.pack_size > 1:
            return f"its discriminator sees {self.pack_size} images of the batch at once (regularizers.pack_size)"
        if self.minibatch_discrimination is not None:
            return "its discriminator compares the images of a batch (regularizers.minibatch_discrimination)"
        if self.feature_matching:
            return "its loss compares means over the batch (regularizers.feature_matching)"
        return ""


def _whole_packs(regularizers: Regularizers, info: ValidationInfo) -> Regularizers:
    """Check the pack size, and return the regularizers unchanged.

    Raises:
        ValueError: If a batch of the stream cannot be divided into packs, or is a single one: batch norm and minibatch
            discrimination compare several.
    """
    if "stream" not in info.data:  # validated first; its own errors are reported instead
        return regularizers
    size, pack = info.data["stream"].batch_size, regularizers.pack_size
    if size % pack or (pack > 1 and size == pack):
        reason = "does not divide" if size % pack else "leaves a single pack of"
        raise ValueError(
            f"pack_size={pack} {reason} generator.stream.batch_size={size}. "
            f"Set generator.stream.batch_size={max(size // pack, 2) * pack}, or another multiple of {pack}"
        )
    return regularizers


PackedRegularizers = Annotated[
    Regularizers, AfterValidator(_whole_packs), Field(description="regularizers of adversarial training")
]


class WeightHistory:
    """The mean of a network's weights over all its updates, for historical averaging."""

    def __init__(self, weights: Sequence[nn.Parameter]) -> None:
        self._weights = list(weights)
        self._means = [weight.detach().clone() for weight in weights]
        self._count = 0

    def distance(self) -> torch.Tensor:
        """Return |weights - mean of earlier weights|^2 with its gradient, then add the weights to the mean."""
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
        self._means = [torch.empty_like(weight).copy_(mean) for mean, weight in pairs]  # keeps the memory layout


class InstanceNoise:
    """Normal noise on the inputs of a discriminator, with the standard deviation of the option `instance_noise`."""

    def __init__(self, regularizers: Regularizers, rng: Rng, compute: Compute) -> None:
        self._decay = regularizers.instance_noise
        self._generator = rng.torch("tricks/instance_noise", compute.device)
        self._processes = compute.processes

    def add(self, x: torch.Tensor, update: int) -> torch.Tensor:
        """Add the noise of an update to [B, ...], as floats in [0, 1]; return `x` itself if that update has none."""
        deviation = 0.0 if self._decay is None else self._decay.at(update)
        if not deviation:
            return x
        draw = partial(torch.randn, generator=self._generator, device=x.device)
        noise = self._processes.drawn(draw, x.shape)
        return as_float(x).add(noise, alpha=deviation)
