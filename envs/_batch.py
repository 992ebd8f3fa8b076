"""A batch program as a Gymnasium `VectorEnv` that can save itself."""

import importlib
from typing import Any, Protocol

import numpy as np
from gymnasium import Space
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from pydantic import ValidationError

from envs._lanes import Lanes
from sandbox.config import config_in
from sandbox.environment import Controls, EnvConfig
from sandbox.errors import UserError


class Program(Protocol):
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

    def arrays(self) -> dict[str, np.ndarray]: ...
    def reset(self, lanes: np.ndarray, rng: Lanes) -> None:
        """Start a new episode in the environments of the mask `lanes` [N]."""

    def step(self, actions: np.ndarray, rng: Lanes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Actions [N] -> rewards [N] float32, terminated [N] bool, truncated [N] bool."""

    def observe(self) -> np.ndarray:
        """A fresh array [N, *observation]."""

    def draw(self, index: int) -> np.ndarray:
        """The picture for people, [H, W, 3] uint8."""


class BatchEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N copies of a program. `autoreset` follows Gymnasium's three modes; the sandbox itself uses `DISABLED`."""

    def __init__(
        self,
        program: Program,
        num_envs: int,
        autoreset: AutoresetMode = AutoresetMode.DISABLED,
        render_mode: str | None = None,
    ) -> None:
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.metadata = {"autoreset_mode": autoreset, "render_modes": ["rgb_array"], "render_fps": 15}
        self.single_observation_space = program.observation_space
        self.single_action_space = program.action_space
        self.observation_space = batch_space(program.observation_space, num_envs)
        self.action_space = batch_space(program.action_space, num_envs)
        self.controls = program.controls
        self._program = program
        self._autoreset = autoreset
        self._lanes = Lanes(num_envs)
        self._ended = np.ones(num_envs, bool)  # environments that wait for a reset
        self._seeded = np.zeros(num_envs, bool)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start new episodes everywhere, or where `options["reset_mask"]` [N] says; `seed` + i seeds environment i."""
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, bool))
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_ or not mask.any():
            raise ValueError(f"options['reset_mask'] must be bool, of shape ({self.num_envs},), with at least one True")
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed or [None] * self.num_envs
        if len(seeds) != self.num_envs or any(given is not None and given < 0 for given in seeds):
            raise ValueError(f"seed must be None, an integer >= 0, or {self.num_envs} of those; got {seed}")
        for index in np.flatnonzero(mask):
            given = seeds[index]
            if given is None and not self._seeded[index]:
                given = int(self.np_random.integers(2**31))
            if given is not None:
                self._lanes.seed(int(index), given)
        self._seeded |= mask
        self._start(mask)
        return self._program.observe(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Raises ValueError for an illegal action, RuntimeError for a step past an episode's end (mode DISABLED)."""
        given, actions = np.asarray(actions), np.asarray(actions, self.action_space.dtype)
        if not np.issubdtype(given.dtype, np.integer) or not self.action_space.contains(actions):
            raise ValueError(f"illegal action in {given.tolist()}; each must be in {self.single_action_space}")
        if self._autoreset is AutoresetMode.NEXT_STEP:
            return self._step_and_reset_next(actions)
        if self._ended.any():
            raise RuntimeError(
                f"environments {np.flatnonzero(self._ended).tolist()} have not been reset; "
                "call reset(), or reset(options={'reset_mask': terminated | truncated}) after an episode's end"
            )
        rewards, terminated, truncated = self._program.step(actions, self._lanes)
        self._ended = terminated | truncated
        observations, infos = self._program.observe(), {}
        if self._autoreset is AutoresetMode.SAME_STEP and self._ended.any():
            ended = self._ended.copy()
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
        return {**self._program.arrays(), "lanes": self._lanes.state}

    def draw(self, index: int) -> np.ndarray:
        """The picture for people of environment `index`, [H, W, 3] uint8."""
        return self._program.draw(index)

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Every environment's picture with `render_mode="rgb_array"`."""
        return tuple(self.draw(i) for i in range(self.num_envs)) if self.render_mode == "rgb_array" else None

    def state_dict(self) -> dict[str, Any]:
        return {name: array.copy() for name, array in (self._arrays() | {"ended": self._ended}).items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises UserError for the state of another environment or another number of copies."""
        own = self._arrays()
        if {k: v.shape for k, v in own.items()} != {k: v.shape for k, v in state.items() if k != "ended"}:
            raise UserError(
                "this state belongs to another environment, other options or another num_envs: "
                f"it holds {sorted(state)}, this environment needs {sorted([*own, 'ended'])}"
            )
        for name, array in own.items():
            array[...] = state[name]
        self._ended = np.array(state["ended"])
        self._seeded[:] = True


def config_of(name: str, options: dict[str, Any]) -> EnvConfig:
    """The config of the environment `name` with `options`.

    Raises:
        ValueError: names each option that is unknown or out of range.
    """
    config = config_in(importlib.import_module(f"envs.{name}"), EnvConfig)
    try:
        return config(**options)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ValueError(f"{name}: {problems}. Options: {', '.join(config.model_fields)}") from None


def make_vector(
    name: str,
    num_envs: int = 1,
    render_mode: str | None = None,
    autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    **options: Any,
) -> BatchEnv:
    """`gymnasium.make_vec`'s entry point; `autoreset_mode` is Gymnasium's, by value or member."""
    environment = config_of(name, options).make(num_envs)
    if not isinstance(environment, BatchEnv):
        raise TypeError(f"{name} is not a batch program")
    return BatchEnv(environment._program, num_envs, AutoresetMode(autoreset_mode), render_mode)
