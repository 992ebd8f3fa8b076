"""Any Gymnasium environment by its id: LunarLander-v3, CartPole-v1, or one of your own.

Rules: those of `id`; `options` are handed to `gymnasium.make`.
Observation: a Box as it is, floats as float32, pictures with the channels first; any other space flattened to one
    vector (a Discrete one becomes one-hot).
Actions: those of `id`, Discrete ones counted from 0.
Reward: that of `id`, raw.
Episode: that of `id`, with its time limit. Every episode is started with a seed of its own, so a saved state is that
    seed and the actions since: restoring plays them again, and refuses an environment that does not come out the same.
Best return: `gymnasium.spec(id).reward_threshold`, where there is one.
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

DIGITS = {str((action + 1) % 10): action for action in range(10)}  # the keys 1, 2, ..., 9, 0


class GymConfig(EnvConfig):
    """`id`: what `gymnasium.make` takes; `options`: its keyword arguments; `keys`: people's keys to actions."""

    name: Literal["gym"] = "gym"
    id: str
    options: dict[str, bool | int | float | str] = Field(default_factory=dict)
    keys: dict[str, int] = Field(DIGITS, description="key: action; by default key 1 is action 0")

    @field_validator("options")
    @classmethod
    def _not_ours(cls, options: dict[str, Any]) -> dict[str, Any]:
        if "render_mode" in options:
            raise ValueError("render_mode is set here already; leave it out")
        return options

    @field_validator("id")
    @classmethod
    def _known(cls, name: str) -> str:
        if name.startswith("ALE/"):
            raise ValueError(f"{name} is an Atari game; give env.name=atari and env.game")
        if ":" not in name and name not in gymnasium.registry:  # `module:Id-v0` is imported when it is made
            hint = did_you_mean(name, gymnasium.registry)
            raise ValueError(f"Gymnasium knows no {name!r}.{hint} For an id that a module registers: `module:{name}`")
        return name

    def bare(self, num_envs: int) -> "GymEnv":
        return GymEnv(self, num_envs)


class GymEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N environments of one id, one after the other.

    Those that nobody looks at are made without a render mode: LunarLander, for one, else keeps a body for every puff of
    its engines, until an episode takes several times as long. `draw` makes one anew that draws, and plays it forward.
    """

    def __init__(self, config: GymConfig, num_envs: int) -> None:
        self.num_envs = num_envs
        self._config, self._rules = config, rules_of(config, "keys")
        self._envs = [_make(config) for _ in range(num_envs)]
        first = self._envs[0]
        assert isinstance(first.observation_space, spaces.Box)  # by `_make`
        self.single_observation_space, self.single_action_space = first.observation_space, first.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.metadata = first.metadata | {"autoreset_mode": AutoresetMode.DISABLED}
        self.fps = float(first.metadata.get("render_fps", 30))
        num_actions = int(first.action_space.n) if isinstance(first.action_space, spaces.Discrete) else 0
        if config.keys != DIGITS and (bad := {k: a for k, a in config.keys.items() if not 0 <= a < num_actions}):
            raise UserError(f"env.keys={bad}: {config.id} has the actions {first.action_space}")
        keys = {key: action for key, action in config.keys.items() if 0 <= action < num_actions}
        self.controls: tuple[Controls, ...] = (Controls(keys),)
        self._lanes = VectorRng(num_envs)
        self._seeds = np.zeros(num_envs, np.int64)  # each episode's
        self._taken: list[list[Any]] = [[] for _ in range(num_envs)]  # each episode's actions
        self._returns = np.zeros(num_envs)  # each episode's so far
        self._ended = np.ones(num_envs, bool)
        space = first.observation_space
        self._observations: np.ndarray = np.zeros((num_envs, *space.shape), space.dtype)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """As Gymnasium's, for all or where `options["reset_mask"]` [N] says; a seed given is the episode's own."""
        mask = reset_mask(options, self.num_envs)
        self._lanes.start(seed, mask)
        given = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed or [None] * self.num_envs
        drawn = self._lanes.integers(mask, 2**31)
        for index, fresh in zip(np.flatnonzero(mask).tolist(), drawn.tolist(), strict=True):
            own = given[index]
            self._begin(index, fresh if own is None else own)
        return self._observations.copy(), {}

    def _begin(self, index: int, seed: int) -> None:
        self._observations[index], _ = self._envs[index].reset(seed=seed)
        self._seeds[index], self._taken[index], self._ended[index] = seed, [], False
        self._returns[index] = 0

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Raises ValueError for an illegal action, RuntimeError for a step past an episode's end."""
        actions = legal(actions, self.action_space, self.single_action_space)
        require_reset(self._ended)
        rewards = np.zeros(self.num_envs, np.float32)
        terminated, truncated = np.zeros(self.num_envs, bool), np.zeros(self.num_envs, bool)
        for index, action in enumerate(actions):
            rewards[index], terminated[index], truncated[index] = self._step(index, action)
        self._ended = terminated | truncated
        return self._observations.copy(), rewards, terminated, truncated, {}

    def _step(self, index: int, action: np.ndarray) -> tuple[float, bool, bool]:
        self._taken[index].append(np.array(action))  # a copy: the caller may use its own again
        self._observations[index], reward, terminated, truncated, _ = self._envs[index].step(action)
        self._returns[index] += float(reward)
        return float(reward), terminated, truncated

    def draw(self, index: int) -> np.ndarray:
        """What the environment itself renders, [H, W, 3] uint8.

        Raises:
            UserError: if it renders nothing, or cannot be brought to where it is by its seed and actions.
        """
        if self._envs[index].render_mode is None:
            self._remake(index)
        picture = self._envs[index].render()
        if not isinstance(picture, np.ndarray):
            raise UserError(f"{self._config.id} cannot be shown: it renders no picture")
        return picture

    def _remake(self, index: int) -> None:
        """Environment `index` again, one that draws, where it is now."""
        env = _make(self._config, draws=True)
        if env.render_mode is None:
            raise UserError(f"{self._config.id} cannot be shown: it has no render_mode 'rgb_array'")
        self._envs[index].close()
        self._envs[index] = env
        if self._ended[index] and not self._taken[index]:  # never started
            return
        there = self._observations[index].copy(), self._returns[index], self._ended[index]
        over = self._replay(index, int(self._seeds[index]), self._taken[index])
        here = self._observations[index], self._returns[index], over
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(there, here, strict=True)):
            raise self._refusal("shown")
        self._ended[index] = over

    def state_dict(self) -> dict[str, Any]:
        """The seed and the actions of every episode, and the observation that they lead to."""
        lengths = np.array([len(taken) for taken in self._taken])
        return {
            "rules": self._rules,
            "lanes": self._lanes.state.copy(),
            "seeds": self._seeds.copy(),
            "lengths": lengths,
            "actions": np.array([action for taken in self._taken for action in taken]),
            "ended": self._ended.copy(),
            "observations": self._observations.copy(),
            "returns": self._returns.copy(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises UserError for another environment's state, or if playing it again leads elsewhere."""
        require_same_rules(state, self._rules, self.num_envs)
        ends, ended = np.cumsum(state["lengths"]), np.ones(self.num_envs, bool)
        for index, (seed, end, length) in enumerate(zip(state["seeds"], ends, state["lengths"], strict=True)):
            if length == 0 and state["ended"][index]:  # never started
                self._observations[index], self._taken[index], self._returns[index] = 0, [], 0
                continue
            ended[index] = self._replay(index, int(seed), state["actions"][end - length : end])
        self._lanes.state[:] = state["lanes"]
        self._seeds[:], self._ended = state["seeds"], np.array(state["ended"])
        came_out = {"observations": self._observations, "returns": self._returns, "ended": ended}
        if not all(np.array_equal(array, state[name], equal_nan=name != "ended") for name, array in came_out.items()):
            raise self._refusal("resumed")

    def _replay(self, index: int, seed: int, actions: Sequence[Any]) -> bool:
        """Play an episode again in environment `index`; whether it ended."""
        self._begin(index, seed)
        over = False
        for action in actions:
            _, terminated, truncated = self._step(index, action)
            over = terminated or truncated
        return over

    def _refusal(self, what: str) -> UserError:
        return UserError(
            f"{self._config.id} cannot be {what}: the same seed and actions do not lead to the same observation "
            "and return. It draws randomness that reset(seed=...) does not decide, or its version has changed."
        )

    def close_extras(self, **kwargs: Any) -> None:
        """Close every copy."""
        for env in self._envs:
            env.close()


def _make(config: GymConfig, draws: bool = False) -> gymnasium.Env[Any, Any]:
    """One copy whose observations are one array; with `draws` it can draw itself, if it is of that kind."""
    options: dict[str, Any] = dict(config.options)
    try:
        env = gymnasium.make(config.id, **options)
        if draws and "rgb_array" in env.metadata.get("render_modes", []):
            env.close()
            env = gymnasium.make(config.id, render_mode="rgb_array", **options)
    except Exception as error:  # whatever another's code makes of a wrong id or option
        said = str(error) or type(error).__name__
        given = f" (env.options: {config.options})" if config.options else ""
        raise UserError(f"env.id={config.id} cannot be made: {said}{given}") from error
    if not isinstance(env.observation_space, spaces.Box):
        shown = env.observation_space
        if not isinstance(spaces.flatten_space(shown), spaces.Box):
            raise UserError(f"env.id={config.id}: its observations {shown} have no fixed length and fit no array")
        env = FlattenObservation(env)
    if isinstance(env.action_space, spaces.Discrete) and env.action_space.start != 0:
        start = env.action_space.start
        env = TransformAction(env, lambda action: action + start, spaces.Discrete(int(env.action_space.n)))
    return _channels_first(env)


def _channels_first(env: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """Pictures as networks take them; every other observation as float32, bytes excepted."""
    space = env.observation_space
    assert isinstance(space, spaces.Box)
    if space.dtype != np.uint8:
        with np.errstate(over="ignore"):  # what float32 cannot hold is unbounded
            low, high = space.low.astype(np.float32), space.high.astype(np.float32)
        return TransformObservation(env, np.float32, spaces.Box(low, high, dtype=np.float32))
    if len(space.shape) != 3 or space.shape[2] not in (1, 3, 4):
        return env
    low, high = space.low.transpose(2, 0, 1), space.high.transpose(2, 0, 1)
    return TransformObservation(env, lambda picture: picture.transpose(2, 0, 1), spaces.Box(low, high, dtype=np.uint8))
