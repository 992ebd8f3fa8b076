"""The `Agent` interface: a learner that acts."""

from typing import Protocol, runtime_checkable

import numpy as np
import torch

from sandbox.interfaces.learner import Learner, LearnerConfig
from sandbox.interfaces.state import RecurrentState


class Agent(Learner, Protocol):
    """A learner that acts, for N environments at once."""

    def initial_state(self, num_envs: int) -> RecurrentState:
        """The carried state at an episode's start, zeros. A dict's `reward` [N] will be told after each step."""

    def act(
        self, observations: np.ndarray, state: RecurrentState, *, explore: bool
    ) -> tuple[np.ndarray, RecurrentState]:
        """[N, *observation] -> actions [N] int64 and the next carried state."""


class AgentConfig(LearnerConfig):
    """A file under `agents/` defines exactly one."""


@runtime_checkable
class Explains(Protocol):
    """An agent that can say what it sees and what it expects. None of this draws from its generators or changes it."""

    def seen(self, observations: np.ndarray, state: RecurrentState) -> torch.Tensor:
        """What its network is given, stack and all: [N, *observation] -> [N, *input] floats, bytes as [0, 1]."""

    def values(self, seen: torch.Tensor, state: RecurrentState) -> torch.Tensor:
        """What it expects of each action, [N, *input] -> [N, A]; gradients reach `seen`."""

    def epsilon(self, *, explore: bool) -> float:
        """How often it now acts at random, as `act` would in one environment."""
