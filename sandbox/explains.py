"""What an agent may tell of itself, for people who watch it."""

from typing import Protocol, runtime_checkable

import numpy as np
import torch

from sandbox.learner import State


@runtime_checkable
class Explains(Protocol):
    """An agent that can say what it sees and what it expects. None of this draws from its generators or changes it."""

    def seen(self, observations: np.ndarray, state: State) -> torch.Tensor:
        """What its network is given, stack and all: [N, *observation] -> [N, *input] floats, bytes as [0, 1]."""

    def values(self, seen: torch.Tensor, state: State) -> torch.Tensor:
        """What it expects of each action, [N, *input] -> [N, A]; gradients reach `seen`."""

    def epsilon(self, *, explore: bool) -> float:
        """How often it now acts at random, as `act` would in one environment."""
