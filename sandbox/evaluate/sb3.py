"""Our agents for Stable-Baselines3's `evaluate_policy` and other code that calls `predict`."""

from typing import Any

import numpy as np

from sandbox.interfaces.agent import Agent
from sandbox.interfaces.state import RecurrentState, reset_where


class Policy:
    """What SB3 asks of a model: `predict`, with the carried state and its resets.

    SB3 tells no rewards: an agent that wants its last one (`r2d2`) plays as if it were 0, and may score less here.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def predict(
        self,
        observation: np.ndarray,
        state: RecurrentState = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = True,
    ) -> tuple[np.ndarray, Any]:
        """[N, *observation] -> actions [N] and the next state, zeroed where `episode_start` [N]."""
        if state is None:
            state = self._agent.initial_state(len(observation))
        elif episode_start is not None:
            state = reset_where(state, episode_start)
        return self._agent.act(observation, state, explore=not deterministic)
