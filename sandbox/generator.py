"""What a loop and a person may ask of a generator."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from sandbox.errors import UserError
from sandbox.learner import Learner, LearnerConfig, Spec


class UntrainedError(UserError):
    """A generator that will be able to do this only after `steps` updates."""

    def __init__(self, message: str, steps: int) -> None:
        super().__init__(message)
        self.steps = steps


@runtime_checkable
class Generator(Learner, Protocol):
    """A learner that has samples to show."""

    def sample(self, count: int) -> torch.Tensor:
        """Means or probabilities of `count` samples, [count, C, H, W] in [0, 1]."""


@dataclass(frozen=True)
class Estimate:
    """log p of images, nats [B], and how it was found: `exact`, `importance`, `ais`, ...

    `low` and `high` bracket the estimate, whatever the image: as much below and above it the truth may be, nats. None
    where the method says nothing about its error. Of a lower bound, the bound is the truth that they are about.
    `density`: of real pixels in [0, 1]; such nats cannot be compared with those of black and white.
    """

    kind: str
    nats: torch.Tensor
    low: float | None = None
    high: float | None = None
    density: bool = False


@runtime_checkable
class Likelihood(Protocol):
    """A generator that can say how likely data are."""

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """Of as many images as there are: the generator makes its own batches."""


@runtime_checkable
class Reconstructs(Protocol):
    """A generator that can pass images through its latents."""

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> the same shape, in [0, 1]."""


@runtime_checkable
class Coder(Protocol):
    """A generator with latents to walk through."""

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> codes [B, Z]."""

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, Z] -> [B, C, H, W] in [0, 1]."""


@runtime_checkable
class Filters(Protocol):
    """A generator whose units each look at the image with weights of their own."""

    def filters(self, count: int) -> torch.Tensor:
        """The weights of `count` units at most, [count, C, H, W]; 0 is no weight."""


@runtime_checkable
class Recalls(Protocol):
    """A generator that stores images and finds its way back to them, which can be watched."""

    def recall(self, images: torch.Tensor) -> torch.Tensor:
        """Damaged images [B, C, H, W] -> the same shape, in [0, 1]."""

    def memories(self) -> torch.Tensor:
        """What is stored, [P, C, H, W] in [0, 1]."""

    def recalling(self, images: torch.Tensor) -> Iterator[torch.Tensor]:
        """The images as recall takes them, then all its states, [B, C, H, W] in [0, 1]; the last is `recall`'s."""


@runtime_checkable
class Dreams(Protocol):
    """A generator whose samples are made by a chain, which can be watched."""

    def dreaming(self, count: int) -> Iterator[torch.Tensor]:
        """Endlessly: what `count` chains that begin anywhere show after each sweep, [count, C, H, W] in [0, 1]."""


@runtime_checkable
class Classifier(Protocol):
    """A generator that has also learnt which class an image is of."""

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> probabilities of the classes [B, K]."""


class GeneratorConfig(LearnerConfig):
    """A file under `generators/` defines exactly one."""


def image_shape(spec: Spec, name: str) -> tuple[int, ...]:
    """[C, H, W] of what the generator called `name` is to learn from.

    Raises:
        UserError: if that is points.
    """
    if len(spec.shape) != 3:
        raise UserError(
            f"generator.name={name} learns from images, but these data are points. Take a set of images, "
            "e.g. data.name=digits, or generator.name=gan, which learns points, too."
        )
    return spec.shape
