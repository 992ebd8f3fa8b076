"""An agent at work in environments: the one place where experience is made."""

from typing import Any, NamedTuple

import numpy as np

from sandbox.core.rng import Rng
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import Environment, game_over
from sandbox.interfaces.state import RecurrentState, advance_state


class Step(NamedTuple):
    """One step of N environments: `last` are the observations after it, the true last ones where an episode ended.

    `state` is what the agent carried before it.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    last: np.ndarray
    state: RecurrentState = None

    @property
    def ended(self) -> np.ndarray:
        return self.terminated | self.truncated


class Actor:
    """Carries `observations` [N, ...] and the agent's state along, and keeps the score of finished games."""

    def __init__(self, env: Environment, agent: Agent, rng: Rng) -> None:
        self._env, self._agent = env, agent
        self.observations, _ = env.reset(seed=rng.integer("env") % 2**31)
        self._state = agent.initial_state(env.num_envs)
        self._returns, self._lengths = np.zeros(env.num_envs), np.zeros(env.num_envs, np.int64)
        self._finished: list[tuple[float, int]] = []
        self.steps = 0  # agent steps so far, all environments together

    def step(self) -> Step:
        """Act everywhere once, and start a new episode where one ended."""
        actions, state = self._agent.act(self.observations, self._state, explore=True)
        last, rewards, terminated, truncated, infos = self._env.step(actions)
        step = Step(self.observations, actions, rewards, terminated, truncated, last, self._state)
        self.observations, self._state = last, advance_state(state, rewards, step.ended)
        self._returns += rewards
        self._lengths += 1
        self.steps += self._env.num_envs
        if step.ended.any():
            over = game_over(terminated, truncated, infos)
            self._finished += zip(self._returns[over].tolist(), self._lengths[over].tolist(), strict=True)
            self._returns[over] = self._lengths[over] = 0
            self.observations, _ = self._env.reset(options={"reset_mask": step.ended})
        return step

    def metrics(self) -> dict[str, float]:
        """Means over the games finished since the last call, raw rewards; empty if none was."""
        if not self._finished:
            return {}
        returns, lengths = np.mean(self._finished, axis=0)
        episodes, self._finished = len(self._finished), []
        return {"env/return": float(returns), "env/length": float(lengths), "env/episodes": float(episodes)}

    def state_dict(self) -> dict[str, Any]:
        return {
            "env": self._env.state_dict(),
            "observations": self.observations,
            "state": self._state,
            "returns": self._returns,
            "lengths": self._lengths,
            "finished": self._finished,
            "steps": self.steps,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._env.load_state_dict(state["env"])
        self.observations, self._state = state["observations"], state["state"]
        self._returns, self._lengths = state["returns"], state["lengths"]
        self._finished, self.steps = state["finished"], state["steps"]
