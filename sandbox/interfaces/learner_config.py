"""The base of the configs of agents and generators."""

from abc import abstractmethod
from typing import Any, ClassVar

from pydantic import Field

from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.split import Split, Whole
from sandbox.interfaces.stream import StreamConfig


class LearnerConfig(Config):
    """Options of a learner: the member, and the stream of its batches.

    Attributes:
        evaluation_options: Names of options that are read in evaluation only, if the member has them.
    """

    evaluation_options: ClassVar[frozenset[str]] = frozenset(
        {"evaluation_epsilon", "ais", "bound_samples", "importance_samples", "sample_steps", "down_steps"}
    )

    name: str = Field(description="name of the member")
    stream: StreamConfig = Field(description="batches that the learner is trained on")

    def evaluation_settings(self) -> dict[str, Any]:
        """Return the options that are read in evaluation only; a saved learner may be evaluated with other values."""
        return {name: value for name, value in self if name in self.evaluation_options}

    def split(self) -> Split | Whole:
        """Return how a batch is divided among processes, or why it cannot be."""
        return Whole("it does not declare that its batch can be split")

    @abstractmethod
    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> Learner:
        """Build the learner.

        Args:
            spec: Shapes of the observations, actions or images that it learns from.
            rng: The run's random streams.
            compute: Device and precision.
            runs: Other runs, for a learner that starts from one.

        Raises:
            UserError: For data that this learner cannot learn from.
        """
