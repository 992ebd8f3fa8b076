"""What a loop and a person may ask of a generator."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.learner import Learner, LearnerConfig
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec


class UntrainedError(UserError):
    """A generator that will be able to do this only after `steps` updates."""

    def __init__(self, message: str, steps: int) -> None:
        super().__init__(message)
        self.steps = steps


@runtime_checkable
class Generator(Learner, Protocol):
    """A learner that has samples to show."""

    @abstractmethod
    def sample(self, count: int) -> torch.Tensor:
        """Means or probabilities of `count` samples, [count, C, H, W] in [0, 1]."""


@runtime_checkable
class Previews(Protocol):
    """A generator that can show how training goes on: with what never changes."""

    def preview(self, count: int) -> torch.Tensor:
        """Samples from the same `count` latents each time, [count, C, H, W] in [0, 1]."""


@runtime_checkable
class Imagines(Protocol):
    """A generator whose samples are made of latents, which can be walked between."""

    def latents(self, count: int) -> torch.Tensor:
        """Draws of the prior, [count, Z]."""

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, Z] -> [B, C, H, W] in [0, 1]."""


@runtime_checkable
class Conditional(Protocol):
    """A generator that can be asked for images of a class, or of whatever else it numbers."""

    def num_classes(self) -> int:
        """How many there are."""

    def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
        """Classes [B] int64, from 0 -> images [B, C, H, W] in [0, 1]."""


@runtime_checkable
class Steers(Conditional, Protocol):
    """A generator that has found a few numbers of its own to describe images by, each in [-1, 1]."""

    def num_codes(self) -> int:
        """How many there are."""

    def steer(self, labels: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Classes [B] and codes [B, N] -> images [B, C, H, W] in [0, 1], otherwise alike."""


@runtime_checkable
class Clusters(Protocol):
    """A generator that has sorted images by itself: its clusters are no classes until somebody names them."""

    def cluster(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> probabilities of the clusters [B, K]."""


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


@runtime_checkable
class Translates(Protocol):
    """A generator of images from others."""

    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        """Sources [B, C', H, W], uint8 or floats in [0, 1] -> images [B, C, H, W] in [0, 1]."""


@runtime_checkable
class TranslatesBack(Protocol):
    """A generator that has also learnt the way from images to sources."""

    def translate_back(self, images: torch.Tensor) -> torch.Tensor:
        """Images [B, C, H, W], uint8 or floats in [0, 1] -> sources [B, C', H, W] in [0, 1]."""


@runtime_checkable
class Damages(Protocol):
    """A generator whose sources are images with something missing, which it makes itself."""

    def damage(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Images [B, C, H, W] -> sources for `translate`, floats in [0, 1]; `generator` draws what is missing."""


class GeneratorConfig(LearnerConfig):
    """Options of a generator; a file under `generators/` defines exactly one."""

    @abstractmethod
    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> Generator:
        """Build the generator."""
