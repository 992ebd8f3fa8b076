"""The actor: an agent that explores environments, and the source of all experience."""

from typing import Any

import numpy as np

from sandbox.core.rng import Rng
from sandbox.environments.interaction import EnvStep, Interaction
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.state import advance_state


def game_metrics(finished: list[tuple[float, int]], successes: list[float]) -> dict[str, float]:
    """Return means over games, as `Actor.take_games` returns them; empty if there are none."""
    if not finished:
        return {}
    returns, lengths = np.mean(finished, axis=0)
    found = {"env/return": float(returns), "env/length": float(lengths), "env/episodes": float(len(finished))}
    return {**found, "env/success_rate": float(np.mean(successes))} if successes else found


class Actor:
    """An agent in N environments, with its recurrent state and the returns of finished games."""

    def __init__(self, env: Environment, agent: Agent, rng: Rng) -> None:
        self._interaction, self._agent, self._num_envs = Interaction(env), agent, env.num_envs
        self._interaction.start(rng.integer("env") % 2**31)
        self._state = agent.initial_state(env.num_envs)
        self._finished: list[tuple[float, int]] = []  # returns and lengths since the last report
        self._successes: list[float] = []  # of those games that say whether they were one
        self.steps = 0  # agent steps so far, all environments together

    @property
    def observations(self) -> np.ndarray:
        """The present observations, [N, ...]."""
        return self._interaction.observations

    def step(self) -> EnvStep:
        """Act once in every environment, and begin a new episode where one ended."""
        games = self._interaction
        actions, state = self._agent.act(games.observations, self._state, explore=True)
        step = games.step(actions, self._state)
        self._state = advance_state(state, step.rewards, step.ended)
        over = games.is_over
        self._finished += zip(games.returns[over].tolist(), games.lengths[over].tolist(), strict=True)
        self._successes += games.successes[over & ~np.isnan(games.successes)].tolist()
        games.next_episodes()
        self.steps += self._num_envs
        return step

    def metrics(self) -> dict[str, float]:
        """Return means over the games that ended since the last call, of raw rewards; empty if none did."""
        return game_metrics(*self.take_games())

    def take_games(self) -> tuple[list[tuple[float, int]], list[float]]:
        """Return (return, length) of the games that ended since the last call, and the successes of some of them."""
        taken = self._finished, self._successes
        self._finished, self._successes = [], []
        return taken

    def state_dict(self) -> dict[str, Any]:
        """Return the state of environments, agent and report."""
        own = {"state": self._state, "finished": self._finished, "steps": self.steps}
        if self._successes:
            own["successes"] = self._successes
        return {**self._interaction.state_dict(), **own}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._interaction.load_state_dict(state)
        self._state, self._finished, self.steps = state["state"], state["finished"], state["steps"]
        self._successes = list(state.get("successes", []))
