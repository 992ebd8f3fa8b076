"""A batch program as a Gymnasium `VectorEnv` that can save itself."""

from typing import Any, Protocol

import numpy as np
from gymnasium import Space
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from sandbox.environments.checks import legal, require_reset, require_same_rules, reset_mask
from sandbox.environments.config import EnvConfig, rules_of
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls


class BatchProgram(Protocol):
    """What an environment's file writes: rules for N copies at once.

    All state lives in `arrays()`, which are asked for anew each time and have N as their first axis: that is what makes
    an environment restorable.
    """

    @property
    def observation_space(self) -> Space[Any]: ...
    @property
    def action_space(self) -> Space[Any]: ...
    @property
    def controls(self) -> tuple[Controls, ...]: ...
    @property
    def fps(self) -> float:
        """Steps a second that suit people."""

    def arrays(self) -> dict[str, np.ndarray]: ...
    def reset(self, lanes: np.ndarray, rng: VectorRng) -> None:
        """Start a new episode in the environments of the mask `lanes` [N]."""

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Actions [N] -> rewards [N] float32, terminated [N] bool, truncated [N] bool."""

    def observe(self) -> np.ndarray:
        """A fresh array [N, *observation]."""

    def draw(self, index: int) -> np.ndarray:
        """The picture for people, [H, W, 3] uint8."""


class BatchEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N copies of a program. `autoreset` follows Gymnasium's three modes; the sandbox itself uses `DISABLED`."""

    def __init__(
        self,
        program: BatchProgram,
        num_envs: int,
        config: EnvConfig,
        autoreset: AutoresetMode = AutoresetMode.DISABLED,
        render_mode: str | None = None,
    ) -> None:
        self._rules = rules_of(config, "observe")
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.metadata = {"autoreset_mode": autoreset, "render_modes": ["rgb_array"], "render_fps": program.fps}
        self.single_observation_space = program.observation_space
        self.single_action_space = program.action_space
        self.observation_space = batch_space(program.observation_space, num_envs)
        self.action_space = batch_space(program.action_space, num_envs)
        self.controls, self.fps = program.controls, program.fps
        self._program = program
        self._autoreset = autoreset
        self._lanes = VectorRng(num_envs)
        self._ended = np.ones(num_envs, bool)  # environments that wait for a reset

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start new episodes everywhere, or where `options["reset_mask"]` [N] says; `seed` + i seeds environment i."""
        mask = reset_mask(options, self.num_envs)
        self._lanes.start(seed, mask)
        self._start(mask)
        return self._program.observe(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Raises ValueError for an illegal action, RuntimeError for a step past an episode's end (mode DISABLED)."""
        actions = legal(actions, self.action_space, self.single_action_space)
        if self._autoreset is AutoresetMode.NEXT_STEP:
            return self._step_and_reset_next(actions)
        require_reset(self._ended)
        rewards, terminated, truncated = self._program.step(actions, self._lanes)
        self._ended = terminated | truncated
        observations, infos = self._program.observe(), {}
        if self._autoreset is AutoresetMode.SAME_STEP and self._ended.any():
            ended = self._ended
            last = np.full(self.num_envs, None, object)
            for index in np.flatnonzero(ended):
                last[index] = observations[index]
            infos = {"final_obs": last, "_final_obs": ended}
            self._start(ended)
            observations = self._program.observe()
        return observations, rewards, terminated, truncated, infos

    def _step_and_reset_next(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Gymnasium's default: the step after an episode's end ignores its action and resets."""
        require_reset(self._lanes.state == 0)  # never seeded, so never reset
        fresh = self._ended.copy()
        if fresh.any():
            self._start(fresh)
            before = {name: array[fresh].copy() for name, array in self._arrays().items()}
        rewards, terminated, truncated = self._program.step(actions, self._lanes)
        if fresh.any():
            for name, array in self._arrays().items():
                array[fresh] = before[name]
            rewards, terminated, truncated = rewards * ~fresh, terminated & ~fresh, truncated & ~fresh
        self._ended = terminated | truncated
        return self._program.observe(), rewards, terminated, truncated, {}

    def _start(self, mask: np.ndarray) -> None:
        self._program.reset(mask, self._lanes)
        self._ended = self._ended & ~mask

    def _arrays(self) -> dict[str, np.ndarray]:
        return {**self._program.arrays(), "lanes": self._lanes.state, "ended": self._ended}

    def draw(self, index: int) -> np.ndarray:
        """The picture for people of environment `index`, [H, W, 3] uint8."""
        return self._program.draw(index)

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Every environment's picture with `render_mode="rgb_array"`."""
        return tuple(self.draw(i) for i in range(self.num_envs)) if self.render_mode == "rgb_array" else None

    def state_dict(self) -> dict[str, Any]:
        return {"rules": self._rules, **{name: array.copy() for name, array in self._arrays().items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises UserError for the state of another environment, other options or another number of copies."""
        require_same_rules(state, self._rules, self.num_envs)
        for name, array in self._arrays().items():
            array[...] = state[name]
