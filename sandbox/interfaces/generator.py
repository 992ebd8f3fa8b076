"""The `Generator` interface; `sandbox.interfaces.capabilities` has the optional abilities of generators."""

from abc import abstractmethod
from typing import ClassVar, Protocol, runtime_checkable

import torch

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.classifier import Classifier
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.learner_config import LearnerConfig
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec


class UntrainedError(UserError):
    """The generator cannot do this yet.

    Attributes:
        steps: Number of updates after which it can.
    """

    def __init__(self, message: str, steps: int) -> None:
        super().__init__(message)
        self.steps = steps


@runtime_checkable
class Generator(Learner, Protocol):
    """A learner that generates images or points."""

    @abstractmethod
    def sample(self, count: int) -> torch.Tensor:
        """Generate `count` images [count, C, H, W] or points [count, D] in [0, 1].

        Pixels are means or, for binary images, probabilities.
        """


class GeneratorConfig(LearnerConfig):
    """Base of the generators' configs; a file under `generators/` defines exactly one.

    Attributes:
        no_encoder: Why the member has no encoder for `encoder_from`, as the end of a sentence; empty if it has one.
    """

    no_encoder: ClassVar[str] = ""

    @abstractmethod
    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> Generator | Classifier:
        """Build the generator or classifier."""
