"""An adapter of agents to Stable-Baselines3's `evaluate_policy` and other code that calls `predict`."""

from typing import Any

import numpy as np

from sandbox.interfaces.agent import Agent
from sandbox.interfaces.state import RecurrentState, reset_where


class Policy:
    """An agent with Stable-Baselines3's method `predict`, which also handles recurrent states and their resets.

    `predict` receives no rewards, so an agent whose state holds the last reward (`r2d2`) sees 0 and may score less.
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
        """Choose actions.

        Args:
            observation: Observations [N, ...].
            state: The recurrent state before them; None is the initial state.
            episode_start: True where an episode starts, so that the state is set to zero first, [N] bool.
            deterministic: True to act as in evaluation, False to explore.

        Returns:
            Actions [N] and the next recurrent state.
        """
        if state is None:
            state = self._agent.initial_state(len(observation))
        elif episode_start is not None:
            state = reset_where(state, episode_start)
        return self._agent.act(observation, state, explore=not deterministic)
