"""Sticky actions: now and then the environment repeats its last action instead of the agent's new one.

In YAML: `env.wrappers: [{sticky_actions: {p: 0.25}}]`.
Rule: With probability `p`, a step repeats the action that the environment took in the step before, which may be a
    repetition itself; with several players, their joint action. The first action of a game is always the agent's; a
    lost life starts no new game.
Observation: any, unchanged.
Paper: Machado et al. 2018, "Revisiting the Arcade Learning Environment" (p = 0.25). Deviations: decided once per step,
    not once per frame of the emulator; the last action is forgotten at the start of a game only, where ALE may repeat
    its no-op. Atari environments have sticky actions of their own (`machado2018`): do not combine them with this
    wrapper.
"""

import numpy as np
from gymnasium import spaces
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.environments.rng import EVERY, VectorRng
from sandbox.environments.wrapper import (
    EpisodeStart,
    StepFunction,
    StepResult,
    Transform,
    WrappedEnv,
    WrapperConfig,
    box_of,
)
from sandbox.interfaces.environment import Environment


class StickyActionsConfig(WrapperConfig):
    """Options of sticky actions (Machado et al. 2018)."""

    p: float = Field(0.25, ge=0, le=1, description="probability that a step repeats the last action")

    def wrap(self, env: Environment) -> WrappedEnv:
        """Put the wrapper around an environment."""
        return WrappedEnv(env, StickyActions(self.p, env), "sticky_actions", self)


class StickyActions(Transform):
    """Stores the last actions [N, ...], and whether there has been one in this game [N]."""

    passes_observations = True

    def __init__(self, p: float, env: Environment) -> None:
        action = env.single_action_space
        if not isinstance(action, spaces.Discrete | spaces.MultiDiscrete | spaces.Box):
            raise UserError(f"needs numeric actions, but this environment has {action}")
        self.observation_space = box_of(env)
        self._p = p
        self._taken: np.ndarray = np.zeros((env.num_envs, *(action.shape or ())), action.dtype)
        self._moved = np.zeros(env.num_envs, bool)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the last actions, and whether there has been one, [N]."""
        return {"taken": self._taken, "moved": self._moved}

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        """Forget the last actions of games that have ended."""
        self._moved[start.env_ids[start.new_game]] = False
        return start.observations

    def step(self, step: StepFunction, actions: np.ndarray, last: np.ndarray, rng: VectorRng) -> StepResult:
        """Step with some of the actions replaced by the last ones."""
        if actions.shape != self._taken.shape:
            return step(actions)  # The environment refuses actions of a wrong shape.
        repeated = np.flatnonzero(rng.chance(EVERY, self._p) & self._moved)  # indices are faster than a random mask
        actions = actions.copy()
        actions[repeated] = self._taken[repeated]
        result = step(actions)
        self._taken[...], self._moved[...] = actions, True
        return result
