"""Batch programs (the rules of an environment for N copies at once) and the `VectorEnv` that runs them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from pydantic import Field

from sandbox.environments.board import Observe
from sandbox.environments.checks import legal, require_reset, require_same_rules, reset_mask
from sandbox.environments.config import EnvConfig, rules_of
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls


class BatchProgram(ABC):
    """The rules of an environment, written once for N copies: arrays for the state, one `step` for all.

    Attributes:
        observation_space: Observations of one copy.
        action_space: Actions of one copy.
        controls: The keyboard of each player.
        fps: Steps per second at which people play.
    """

    observation_space: Space[Any]
    action_space: Space[Any]
    controls: tuple[Controls, ...]
    fps: float

    @abstractmethod
    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the whole state by name: arrays with N as their first axis, not copies.

        A state is restored by writing into these arrays. The method is called anew each time, so `step` may replace an
        array by another one.
        """

    @abstractmethod
    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Start a new episode in the copies of the mask [N]."""

    @abstractmethod
    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one action in each copy.

        Args:
            actions: Legal actions, [N] or [N, players].
            rng: Random numbers, with one generator for each copy.

        Returns:
            Rewards [N] float32, terminated [N] bool and truncated [N] bool.
        """

    @abstractmethod
    def observe(self) -> np.ndarray:
        """Return the observations in a new array, [N, ...]."""

    @abstractmethod
    def render_frame(self, index: int) -> np.ndarray:
        """Render copy `index` for people: a frame [H, W, 3], uint8."""

    def player_frame(self, index: int) -> np.ndarray:
        """Render copy `index` for a person who plays: a frame without anything that agents do not observe."""
        return self.render_frame(index)


class BatchEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """A batch program as a Gymnasium `VectorEnv` that can save and restore its state."""

    def __init__(
        self,
        program: BatchProgram,
        num_envs: int,
        config: EnvConfig,
        autoreset: AutoresetMode = AutoresetMode.DISABLED,
        render_mode: str | None = None,
    ) -> None:
        """Run `program`, which has `num_envs` copies.

        Args:
            program: Rules and state of all copies.
            num_envs: Number of copies N.
            config: Config of the environment; a saved state fits environments with the same options only.
            autoreset: One of Gymnasium's three modes; the sandbox itself uses `DISABLED`.
            render_mode: None or "rgb_array", as in Gymnasium.
        """
        self._rules = rules_of(config, "observe")
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.metadata = {"autoreset_mode": autoreset, "render_modes": ["rgb_array"], "render_fps": program.fps}
        self.single_observation_space = program.observation_space
        self.single_action_space = program.action_space
        self.observation_space = batch_space(program.observation_space, num_envs)
        self.action_space = batch_space(program.action_space, num_envs)
        self.controls = program.controls
        self.fps = program.fps
        self._program = program
        self._autoreset = autoreset
        self._rng = VectorRng(num_envs)
        self._ended = np.ones(num_envs, bool)  # Copies that wait for a reset.

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start new episodes in all copies, or in those of `options["reset_mask"]` [N].

        `seed` + i or `seed[i]` seeds copy i; without a seed, its random numbers continue.
        """
        mask = reset_mask(options, self.num_envs)
        self._rng.start(seed, mask)
        self._start(mask)
        return self._program.observe(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one action in each copy.

        Raises:
            ValueError: For an illegal action.
            RuntimeError: If a copy waits for a reset (mode `DISABLED`), or was never reset.
        """
        actions = legal(actions, self.action_space, self.single_action_space)
        if self._autoreset is AutoresetMode.NEXT_STEP:
            return self._step_and_reset_next(actions)
        require_reset(self._ended)
        rewards, terminated, truncated = self._program.step(actions, self._rng)
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
        """Step in Gymnasium's default mode: the step after an episode's end ignores its action and resets."""
        require_reset(self._rng.state == 0)  # A generator without a seed belongs to a copy that was never reset.
        fresh = self._ended.copy()
        if fresh.any():
            self._start(fresh)
            before = {name: array[fresh].copy() for name, array in self._arrays().items()}
        rewards, terminated, truncated = self._program.step(actions, self._rng)
        if fresh.any():
            # The program stepped all copies; undo the step of those that have just been reset.
            for name, array in self._arrays().items():
                array[fresh] = before[name]
            rewards, terminated, truncated = rewards * ~fresh, terminated & ~fresh, truncated & ~fresh
        self._ended = terminated | truncated
        return self._program.observe(), rewards, terminated, truncated, {}

    def _start(self, mask: np.ndarray) -> None:
        self._program.reset(mask, self._rng)
        self._ended = self._ended & ~mask

    def _arrays(self) -> dict[str, np.ndarray]:
        return {**self.state_arrays(), "rng": self._rng.state, "ended": self._ended}

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the program's state by name, without the random numbers: the arrays, not copies."""
        return self._program.state_arrays()

    def observe(self) -> np.ndarray:
        """Return the current observations, [N, ...]; no time passes."""
        return self._program.observe()

    def set_state_arrays(self, **arrays: Any) -> None:
        """Overwrite parts of the state, for tests and analyses: `env.set_state_arrays(ball_x=3)`.

        Args:
            **arrays: Values by their names in `state_dict`, broadcast to [N, ...].

        Raises:
            ValueError: For a name that the environment's state does not have.
        """
        own = self.state_arrays()
        if unknown := sorted(arrays.keys() - own.keys()):
            raise ValueError(f"the state has no {', '.join(unknown)}; it has {', '.join(own)}")
        for name, values in arrays.items():
            own[name][...] = values

    def render_frame(self, index: int) -> np.ndarray:
        """Render copy `index` for people: a frame [H, W, 3], uint8."""
        return self._program.render_frame(index)

    def step_frames(self, index: int, *, playing: bool) -> Sequence[np.ndarray]:
        """Render copy `index` for people; there is one frame per step."""
        return [self._program.player_frame(index) if playing else self._program.render_frame(index)]

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Render all copies if the render mode is "rgb_array", as Gymnasium does."""
        if self.render_mode != "rgb_array":
            return None
        return tuple(self.render_frame(index) for index in range(self.num_envs))

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all copies and of their random numbers, and the options that they depend on."""
        return {"rules": self._rules, **{name: array.copy() for name, array in self._arrays().items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a saved state.

        Raises:
            UserError: For the state of another environment, of other options or of another number of copies.
        """
        require_same_rules(state, self._rules, self.num_envs)
        for name, array in self._arrays().items():
            array[...] = state[name]


class BatchEnvConfig(EnvConfig):
    """Base of the configs of batch programs."""

    observe: Observe = Field(
        "pixels", description="observation: `pixels` (an 84x84 gray image) or `features` (a short vector of floats)"
    )

    @abstractmethod
    def program(self, num_envs: int) -> BatchProgram:
        """Make the batch program with `num_envs` copies."""

    def bare(self, num_envs: int) -> BatchEnv:
        """Make an environment of `num_envs` copies, without wrappers."""
        return BatchEnv(self.program(num_envs), num_envs, self)

    def vector(self, num_envs: int, mode: AutoresetMode, render_mode: str | None) -> BatchEnv:
        """Make a `VectorEnv` with one of Gymnasium's autoreset modes."""
        return BatchEnv(self.program(num_envs), num_envs, self, mode, render_mode)
