"""What a loop and a person may ask of a generator."""

from typing import Protocol, runtime_checkable

import torch

from sandbox.learner import Learner, LearnerConfig


@runtime_checkable
class Generator(Learner, Protocol):
    """A learner that has samples to show."""

    def sample(self, count: int) -> torch.Tensor:
        """Means or probabilities of `count` samples, [count, C, H, W] in [0, 1]."""


@runtime_checkable
class Likelihood(Protocol):
    """A generator that can say how likely data are."""

    def log_likelihood(self, images: torch.Tensor) -> tuple[str, torch.Tensor]:
        """The kind of estimate (`exact`, `importance`, ...) and nats for each image, [B]."""


@runtime_checkable
class Reconstructs(Protocol):
    """A generator that can pass images through its latents."""

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> the same shape, in [0, 1]."""


class GeneratorConfig(LearnerConfig):
    """A file under `generators/` defines exactly one."""
