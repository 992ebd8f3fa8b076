"""Sticky actions: now and then the environment does once more what it did last, whatever the agent wants.

In YAML: `env.wrappers: [{sticky_actions: {p: 0.25}}]`.
Rule: with probability `p` a step takes the action that the step before took, itself perhaps a repeated one; the whole
    joint action where there are several players. A game's first action is always the agent's; a lost life does not
    make a first one.
Observation: any, unchanged.
Paper: Machado et al. 2018, "Revisiting the Arcade Learning Environment" (p = 0.25). Deviations: decided once a step,
    not once an emulator frame, and nothing is forgotten but at a game's start, where ALE may repeat its no-op. Atari
    environments have stickiness of their own (`machado2018`): do not put this around one that does.
"""

from collections.abc import Callable

import numpy as np
from gymnasium import spaces
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.environments.rng import VectorRng
from sandbox.environments.wrapper import EpisodeStart, StepResult, WrappedEnv, WrapperConfig, box_of
from sandbox.interfaces.environment import Environment


class StickyActionsConfig(WrapperConfig):
    """`p`: the probability that the step before is repeated."""

    p: float = Field(0.25, ge=0, le=1)

    def wrap(self, env: Environment) -> WrappedEnv:
        return WrappedEnv(env, StickyActions(self.p, env), "sticky_actions", self)


class StickyActions:
    """Remembers the actions taken last [N, ...], and whether there are any yet [N]."""

    def __init__(self, p: float, env: Environment) -> None:
        action = env.single_action_space
        if not isinstance(action, spaces.Discrete | spaces.MultiDiscrete | spaces.Box):
            raise UserError(f"needs actions that are numbers, this environment has {action}")
        self.observation_space = box_of(env)
        self._p, self._all = p, np.arange(env.num_envs)
        self._taken: np.ndarray = np.zeros((env.num_envs, *(action.shape or ())), action.dtype)
        self._moved = np.zeros(env.num_envs, bool)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"taken": self._taken, "moved": self._moved}

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        self._moved[start.lanes[start.new_game]] = False
        return start.observations

    def step(
        self, below: Callable[[np.ndarray], StepResult], actions: np.ndarray, shown: np.ndarray, rng: VectorRng
    ) -> StepResult:
        if actions.shape != self._taken.shape:
            return below(actions)  # which refuses them
        repeated = (rng.random(self._all) < self._p) & self._moved
        actions = actions.copy()
        actions[repeated] = self._taken[repeated]
        after = below(actions)
        self._taken[...], self._moved[...] = actions, True
        return after
