"""Any Gymnasium environment by its id: LunarLander-v3, CartPole-v1, or one of your own.

Rules: as in `id`; `options` are passed to `gymnasium.make`.
Observation: a Box stays as it is, with floats as float32 and images with the channels first; any other space is
    flattened to one vector (a Discrete one becomes one-hot).
Actions: as in `id`; Discrete ones count from 0.
Reward: as in `id`, raw.
Episode: as in `id`, with its time limit. Every episode is seeded, so a saved state consists of the seed and the actions
    since then. Restoring replays them, and refuses an environment that does not reproduce the same episode.
Best return: `gymnasium.spec(id).reward_threshold`, if the environment has one.
Paper: Towers et al. 2024, "Gymnasium: A Standard Interface for Reinforcement Learning Environments". Deviations: none.
"""

from collections.abc import Sequence
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from gymnasium.wrappers import FlattenObservation, TransformAction, TransformObservation
from pydantic import Field, field_validator

from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean
from sandbox.environments.checks import legal, require_reset, require_same_rules, reset_mask
from sandbox.environments.config import EnvConfig, rules_of
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

DIGITS = {str((action + 1) % 10): action for action in range(10)}  # The keys 1, 2, ..., 9, 0.
DEFAULT_FPS = 30


class GymConfig(EnvConfig):
    """Options of an environment that is registered with Gymnasium."""

    name: Literal["gym"] = "gym"
    id: str = Field(description="id for `gymnasium.make`, such as LunarLander-v3 or my_module:MyEnv-v0")
    options: dict[str, bool | int | float | str] = Field(
        default_factory=dict, description="keyword arguments for `gymnasium.make`"
    )
    keys: dict[str, int] = Field(
        DIGITS, description="action for each key of the keyboard; by default key 1 is action 0"
    )

    @field_validator("options")
    @classmethod
    def _no_render_mode(cls, options: dict[str, Any]) -> dict[str, Any]:
        if "render_mode" in options:
            raise ValueError("render_mode is chosen automatically; leave it out")
        return options

    @field_validator("id")
    @classmethod
    def _known(cls, name: str) -> str:
        if name.startswith("ALE/"):
            raise ValueError(f"{name} is an Atari game; set env.name=atari and env.game instead")
        if ":" not in name and name not in gymnasium.registry:  # `module:Id-v0` is imported when it is made.
            hint = did_you_mean(name, gymnasium.registry)
            raise ValueError(
                f"Gymnasium has no environment {name!r}.{hint} For an id that a module registers: `module:{name}`"
            )
        return name

    def bare(self, num_envs: int) -> "GymEnv":
        """Make an environment of `num_envs` copies, without wrappers."""
        return GymEnv(self, num_envs)


class GymEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N copies of a Gymnasium environment that step one after the other.

    Copies are made without a render mode, because rendering can be costly: with one, LunarLander keeps a body for every
    puff of its engines, and an episode takes several times as long. `render_frame` replaces a copy by one with a render
    mode, and replays its episode there.

    Attributes:
        envs: The copies.
    """

    def __init__(self, config: GymConfig, num_envs: int) -> None:
        self.num_envs = num_envs
        self._config, self._rules = config, rules_of(config, "keys")
        self.envs = [_make(config) for _ in range(num_envs)]
        first = self.envs[0]
        space = first.observation_space
        assert isinstance(space, spaces.Box)  # `_make` ensures it.
        self.single_observation_space, self.single_action_space = space, first.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.metadata = first.metadata | {"autoreset_mode": AutoresetMode.DISABLED}
        self.fps = float(first.metadata.get("render_fps", DEFAULT_FPS))
        self.controls: tuple[Controls, ...] = (Controls(_usable_keys(config, first.action_space)),)
        self._rng = VectorRng(num_envs)
        self._ended = np.ones(num_envs, bool)  # Copies that wait for a reset.
        self._observations: np.ndarray = np.zeros((num_envs, *space.shape), space.dtype)
        # The history of each copy's episode.
        self._seeds = np.zeros(num_envs, np.int64)
        self._actions: list[list[Any]] = [[] for _ in range(num_envs)]
        self._returns = np.zeros(num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start new episodes in all copies, or in those of `options["reset_mask"]` [N].

        A given seed is passed on to the copies; otherwise the seed of an episode is drawn.
        """
        mask = reset_mask(options, self.num_envs)
        self._rng.start(seed, mask)
        given = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed or [None] * self.num_envs
        drawn = self._rng.integers(mask, 2**31)
        for index, fresh in zip(np.flatnonzero(mask).tolist(), drawn.tolist(), strict=True):
            own = given[index]
            self._start(index, fresh if own is None else own)
        return self._observations.copy(), {}

    def _start(self, index: int, seed: int) -> None:
        """Start an episode in one copy."""
        self._observations[index], _ = self.envs[index].reset(seed=seed)
        self._ended[index] = False
        self._seeds[index] = seed
        self._actions[index] = []
        self._returns[index] = 0

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one action in each copy.

        Raises:
            ValueError: For an illegal action.
            RuntimeError: If a copy waits for a reset.
        """
        actions = legal(actions, self.action_space, self.single_action_space)
        require_reset(self._ended)
        rewards = np.zeros(self.num_envs, np.float32)
        terminated, truncated = np.zeros(self.num_envs, bool), np.zeros(self.num_envs, bool)
        for index, action in enumerate(actions):
            rewards[index], terminated[index], truncated[index] = self._step(index, action)
        self._ended = terminated | truncated
        return self._observations.copy(), rewards, terminated, truncated, {}

    def _step(self, index: int, action: np.ndarray) -> tuple[float, bool, bool]:
        """Take an action in one copy; return reward, terminated and truncated."""
        self._actions[index].append(np.array(action))  # A copy, because the caller may reuse the array.
        self._observations[index], reward, terminated, truncated, _ = self.envs[index].step(action)
        self._returns[index] += float(reward)
        return float(reward), terminated, truncated

    def render_frame(self, index: int) -> np.ndarray:
        """Render copy `index` for people: a frame [H, W, 3], uint8.

        Raises:
            UserError: If the environment renders nothing, or if replaying the episode does not reproduce it.
        """
        if self.envs[index].render_mode is None:
            self._replace_by_rendering_copy(index)
        frame = self.envs[index].render()
        if not isinstance(frame, np.ndarray):
            raise UserError(f"{self._config.id} cannot be shown: its `render` returns no frame")
        return frame

    def _replace_by_rendering_copy(self, index: int) -> None:
        """Replace a copy by one with a render mode, in the same state."""
        env = _make(self._config, renders=True)
        if env.render_mode is None:
            raise UserError(f"{self._config.id} cannot be shown: it has no render_mode 'rgb_array'")
        self.envs[index].close()
        self.envs[index] = env
        if self._ended[index] and not self._actions[index]:  # No episode has started yet.
            return
        before = self._observations[index].copy(), self._returns[index], self._ended[index]
        ended = self._replay(index, int(self._seeds[index]), self._actions[index])
        after = self._observations[index], self._returns[index], ended
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after, strict=True)):
            raise self._not_reproducible("shown")
        self._ended[index] = ended

    def state_dict(self) -> dict[str, Any]:
        """Return the seed and the actions of every episode, and the observation, return and end to compare with."""
        lengths = np.array([len(actions) for actions in self._actions])
        return {
            "rules": self._rules,
            "rng": self._rng.state.copy(),
            "seeds": self._seeds.copy(),
            "lengths": lengths,
            "actions": np.array([action for actions in self._actions for action in actions]),
            "ended": self._ended.copy(),
            "observations": self._observations.copy(),
            "returns": self._returns.copy(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a saved state by replaying the episodes.

        Raises:
            UserError: For the state of another environment, or if replaying does not reproduce the episodes.
        """
        require_same_rules(state, self._rules, self.num_envs)
        ends, ended = np.cumsum(state["lengths"]), np.ones(self.num_envs, bool)
        for index, (seed, end, length) in enumerate(zip(state["seeds"], ends, state["lengths"], strict=True)):
            if length == 0 and state["ended"][index]:  # No episode has started yet.
                self._observations[index] = 0
                self._actions[index] = []
                self._returns[index] = 0
                continue
            ended[index] = self._replay(index, int(seed), state["actions"][end - length : end])
        self._rng.state[:] = state["rng"]
        self._seeds[:], self._ended = state["seeds"], np.array(state["ended"])
        replayed = {"observations": self._observations, "returns": self._returns, "ended": ended}
        if not all(np.array_equal(array, state[name], equal_nan=name != "ended") for name, array in replayed.items()):
            raise self._not_reproducible("resumed")

    def _replay(self, index: int, seed: int, actions: Sequence[Any]) -> bool:
        """Replay an episode in one copy; return whether the episode ended."""
        self._start(index, seed)
        ended = False
        for action in actions:
            _, terminated, truncated = self._step(index, action)
            ended = terminated or truncated
        return ended

    def _not_reproducible(self, what: str) -> UserError:
        return UserError(
            f"{self._config.id} cannot be {what}: the same seed and actions do not lead to the same observation "
            "and return. Either it draws random numbers that reset(seed=...) does not seed, or its version has changed."
        )

    def close_extras(self, **kwargs: Any) -> None:
        """Close every copy."""
        for env in self.envs:
            env.close()


def _usable_keys(config: GymConfig, space: spaces.Space[Any]) -> dict[str, int]:
    """Return the keys for the actions that exist; the default keys have more than most environments need.

    Raises:
        UserError: If given keys name actions that do not exist.
    """
    num_actions = int(space.n) if isinstance(space, spaces.Discrete) else 0
    wrong = {key: action for key, action in config.keys.items() if not 0 <= action < num_actions}
    if wrong and config.keys != DIGITS:
        raise UserError(f"env.keys={wrong}: {config.id} has the actions {space}; leave the other keys out")
    return {key: action for key, action in config.keys.items() if key not in wrong}


def _make(config: GymConfig, renders: bool = False) -> gymnasium.Env[Any, Any]:
    """Make one copy whose observations are one array.

    Args:
        config: Config of the environment.
        renders: Make it with the render mode "rgb_array", if it has that one.

    Raises:
        UserError: If it cannot be made.
    """
    options: dict[str, Any] = dict(config.options)
    try:
        env = gymnasium.make(config.id, **options)
        if renders and "rgb_array" in env.metadata.get("render_modes", []):
            env.close()
            env = gymnasium.make(config.id, render_mode="rgb_array", **options)
    except Exception as error:  # Third-party code may raise anything for a wrong id or option.
        said = str(error) or type(error).__name__
        given = f" (env.options: {config.options})" if config.options else ""
        raise UserError(f"env.id={config.id} cannot be made: {said}{given}") from error
    if not isinstance(env.observation_space, spaces.Box):
        space = env.observation_space
        if not isinstance(spaces.flatten_space(space), spaces.Box):
            raise UserError(
                f"env.id={config.id}: its observations {space} have no fixed length and do not fit into an array"
            )
        env = FlattenObservation(env)
    if isinstance(env.action_space, spaces.Discrete) and env.action_space.start != 0:
        start = env.action_space.start
        env = TransformAction(env, lambda action: action + start, spaces.Discrete(int(env.action_space.n)))
    return _for_networks(env)


def _for_networks(env: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """Move the channels of images first, and convert other observations to float32, except for bytes."""
    space = env.observation_space
    assert isinstance(space, spaces.Box)
    if space.dtype != np.uint8:
        with np.errstate(over="ignore"):  # Bounds beyond float32 become infinite.
            low, high = space.low.astype(np.float32), space.high.astype(np.float32)
        return TransformObservation(env, np.float32, spaces.Box(low, high, dtype=np.float32))
    if len(space.shape) != 3 or space.shape[2] not in (1, 3, 4):
        return env
    low, high = space.low.transpose(2, 0, 1), space.high.transpose(2, 0, 1)
    return TransformObservation(env, lambda image: image.transpose(2, 0, 1), spaces.Box(low, high, dtype=np.uint8))
