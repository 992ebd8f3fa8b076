"""The interaction of agents with environments: steps, new episodes, and the returns of games."""

from typing import Any, NamedTuple

import numpy as np

from sandbox.interfaces.environment import Environment, game_over, successes
from sandbox.interfaces.state import RecurrentState


class EnvStep(NamedTuple):
    """One step of N environments. A replay turns steps into batches of `Transitions`.

    Attributes:
        observations: Observations [N, ...] before the step.
        actions: Actions [N].
        rewards: Rewards [N].
        terminated: Where an episode terminated, [N] bool.
        truncated: Where an episode was truncated, [N] bool.
        next_observations: Observations [N, ...] after the step; where an episode ended, its true last ones.
        state: The recurrent state of the agent before the step.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    next_observations: np.ndarray
    state: RecurrentState = None

    @property
    def ended(self) -> np.ndarray:
        """The mask [N] of the episodes that terminated or were truncated."""
        return self.terminated | self.truncated


class Interaction:
    """N environments and their present observations; it alone steps and resets them.

    A step leaves an environment whose episode ended in its last state, so that it can be rendered; `next_episodes`
    then begins the next one. A lost life ends an episode, but not the game.

    Attributes:
        observations: The present observations, [N, ...].
        returns: The returns of the games so far, [N].
        lengths: The steps of the games so far, [N].
        successes: Where the last step ended a game: 1 if it is called a success, 0 if not, NaN if nothing is said, [N].
        is_over: Where the last step ended a whole game, or the game is given up at its maximum length, [N] bool.
    """

    def __init__(self, env: Environment, max_length: int | None = None) -> None:
        """Take over `env`; a game of `max_length` steps is given up, None: never."""
        self._env, self._max_length = env, max_length

    def start(self, seed: int) -> None:
        """Begin new games everywhere."""
        self.observations, _ = self._env.reset(seed=seed)
        self.returns, self.lengths = np.zeros(self._env.num_envs), np.zeros(self._env.num_envs, np.int64)

    def step(self, actions: np.ndarray, state: RecurrentState = None) -> EnvStep:
        """Take actions [N]. The agent's recurrent state before the step only becomes part of the result."""
        before = self.observations
        self.observations, rewards, terminated, truncated, infos = self._env.step(actions)
        self.returns += rewards
        self.lengths += 1
        self.is_over, self._waiting = game_over(terminated, truncated, infos), terminated | truncated
        self.successes = successes(infos, self._env.num_envs)
        if self._max_length is not None:
            is_cut = (self.lengths >= self._max_length) & ~self._waiting
            self.is_over, self._waiting = self.is_over | is_cut, self._waiting | is_cut
        return EnvStep(before, actions, rewards, terminated, truncated, self.observations, state)

    def next_episodes(self) -> None:
        """Begin an episode where one ended in the last step; after a lost life the same game goes on."""
        if self._waiting.any():
            self.returns[self.is_over] = self.lengths[self.is_over] = 0
            self.observations, _ = self._env.reset(options={"reset_mask": self._waiting})

    def state_dict(self) -> dict[str, Any]:
        """Return the environments' state, their observations, and the returns of the games so far."""
        own = {"observations": self.observations, "returns": self.returns, "lengths": self.lengths}
        return {"env": self._env.state_dict(), **own}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned after `next_episodes`."""
        self._env.load_state_dict(state["env"])
        self.observations, self.returns, self.lengths = (state[name] for name in ("observations", "returns", "lengths"))
