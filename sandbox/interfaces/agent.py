"""The `Agent` interface: a learner that acts."""

from abc import abstractmethod
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.learner import Learner, LearnerConfig
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import RecurrentState


class Agent(Learner, Protocol):
    """A learner that acts, for N environments at once."""

    @abstractmethod
    def initial_state(self, num_envs: int) -> RecurrentState:
        """Return the initial recurrent state: zeros.

        If it is a dict with an entry `reward` [N], that entry receives the last reward after every step.
        """

    @abstractmethod
    def act(
        self, observations: np.ndarray, state: RecurrentState, *, explore: bool
    ) -> tuple[np.ndarray, RecurrentState]:
        """Choose actions.

        Args:
            observations: [N, *observation].
            state: The recurrent state before these observations.
            explore: Whether the agent explores, as in training, or acts as well as it can.

        Returns:
            Actions [N] int64, and the next recurrent state.
        """


class AgentConfig(LearnerConfig):
    """Options of an agent; a file under `agents/` defines exactly one."""

    @abstractmethod
    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> Agent:
        """Build the agent."""


@runtime_checkable
class Explains(Protocol):
    """An agent that can say what it sees and what it expects. None of this draws from its generators or changes it."""

    def seen(self, observations: np.ndarray, state: RecurrentState) -> torch.Tensor:
        """What its network is given, stack and all: [N, *observation] -> [N, *input] floats, bytes as [0, 1]."""

    def values(self, seen: torch.Tensor, state: RecurrentState) -> torch.Tensor:
        """What it expects of each action, [N, *input] -> [N, A]; gradients reach `seen`."""

    def epsilon(self, *, explore: bool) -> float:
        """How often it now acts at random, as `act` would in one environment."""
