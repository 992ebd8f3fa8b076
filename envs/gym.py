"""Any Gymnasium environment by its id: LunarLander-v3, CartPole-v1, or one of your own.

Rules: as in `id`; `options` are passed to `gymnasium.make`. Everything that the environment returns is checked, and
    refused with its id if its spaces or Gymnasium's API do not allow it.
Observation: a Box stays as it is, with floats as float32 and images with the channels first (`channels`); bytes of
    other bounds than 0 to 255 become floats in [0, 1]. Any other space is flattened to one vector (a Discrete one
    becomes one-hot); parts without a fixed length are left out. `observe: index` shows one index of all integers.
Actions: as in `id`; Discrete ones count from 0, MultiDiscrete and MultiBinary ones are numbered, a Box is of float32.
Reward: as in `id`, raw.
Episode: as in `id`, with its time limit. Every episode is seeded, so a saved state consists of the seed and the actions
    since then. Restoring replays them; an environment that does not reproduce the same episode begins a new one. The
    global generators of NumPy and `random` are seeded with the episode, for each copy by itself.
Best return: `gymnasium.spec(id).reward_threshold`, if the environment has one.
Paper: Towers et al. 2024, "Gymnasium: A Standard Interface for Reinforcement Learning Environments". Deviations: none.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from pydantic import Field, JsonValue, field_validator

from sandbox.config.foreign_names import member_meant
from sandbox.core.closing import when_unused
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean, note
from sandbox.environments.checks import legal, require_reset, require_same_rules, reset_mask
from sandbox.environments.config import EnvConfig, rules_of
from sandbox.environments.rng import VectorRng
from sandbox.envs._gym import about
from sandbox.envs._gym.examination import examine, one_only
from sandbox.envs._gym.frames import resized
from sandbox.envs._gym.gate import DIFFERS, GatedEnv, Recipe, close_all
from sandbox.envs._gym.keys import DIGITS
from sandbox.envs._gym.observations import Channels, Layout
from sandbox.envs._gym.results import StepOutcome
from sandbox.interfaces.environment import About, Controls, RenderError


class GymConfig(EnvConfig):
    """Options of an environment that is registered with Gymnasium."""

    name: Literal["gym"] = "gym"
    id: str = Field(description="id for `gymnasium.make`, such as LunarLander-v3 or my_module:MyEnv-v0")
    options: dict[str, JsonValue] = Field(
        default_factory=dict, description="keyword arguments for `gymnasium.make`, of any kind"
    )
    observe: Literal["auto", "index"] = Field(
        "auto", description="`auto` as described above, or `index`: the number of a discrete state, for tabular agents"
    )
    channels: Channels = Field(
        "auto",
        description="axis of an image's channels: `first`, `last`, `auto` (the shorter of the two; the last of equal "
        "ones), or `add` to make [H, W] an image of one channel",
    )
    parts: tuple[str, ...] | None = Field(
        None, description="parts of a Dict observation that are shown, a single one in its own shape; null shows all"
    )
    keys: dict[str, Annotated[int, Field(ge=-1_000_000, le=1_000_000)]] = Field(
        DIGITS, description="action for each key; by default key 1 is action 0, and well-known ids have other keys"
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
            raise ValueError(f"{name} is an Atari game: use env='{member_meant('env', name) or '{name: atari}'}'")
        if ":" not in name and name not in gymnasium.registry:  # `module:Id-v0` is imported when it is made.
            hint = did_you_mean(name, [each for each in gymnasium.registry if not each.startswith("ALE/")])
            own = f"For an id that a module registers: `module:{name}`"
            raise ValueError(f"Gymnasium has no environment {name!r}.{hint} {own}")
        return name

    @property
    def about(self) -> About:
        """Title and goal, as far as they are known."""
        return about.about(self.id)

    def bare(self, num_envs: int) -> "GymEnv":
        """Make an environment of `num_envs` copies, without wrappers."""
        return GymEnv(self, num_envs)

    def bare_for_people(self, num_envs: int) -> "GymEnv":
        """Make an environment whose copies have a render mode from the start."""
        return GymEnv(self, num_envs, renders=True)

    def examine(self, *, renders: bool, together: bool) -> None:
        """Play a short episode twice, and print notes about what will not work.

        Raises:
            UserError: If the environment misbehaves, or cannot be opened as often as the run needs.
        """
        examine(self.id, self.bare, self.bare_for_people if renders else None, together)

    @property
    def recipe(self) -> Recipe:
        """The recipe of a copy."""
        return Recipe(self.id, self.options, Layout(self.id, self.channels, self.parts, self.observe == "index"))


class GymEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N copies of a Gymnasium environment that step one after the other.

    Copies for training are made without a render mode, because rendering can be costly: with one, LunarLander keeps a
    body for every puff of its engines, and an episode takes several times as long. `render_frame` replaces such a copy
    by one with a render mode, and replays its episode there.
    """

    def __init__(self, config: GymConfig, num_envs: int, *, renders: bool = False) -> None:
        """Make the copies, with a render mode if `renders`."""
        self.num_envs = num_envs
        self._config, self._rules = config, rules_of(config, "keys")
        self._copies: list[GatedEnv] = []
        self._close = when_unused(self, close_all, self._copies)  # at the latest when the program ends
        try:
            for index in range(num_envs):
                self._copies.append(GatedEnv(config.recipe, index, renders))
        except UserError as error:
            self._close()
            raise (one_only(error) if self._copies else error) from None
        except BaseException:
            self._close()
            raise
        first = self._copies[0]
        self.single_observation_space, self.single_action_space = first.observation_space, first.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.metadata = first.metadata | {"autoreset_mode": AutoresetMode.DISABLED}
        self.fps = about.speed(config.id, first.fps)
        self.controls: tuple[Controls, ...] = (about.controls(config.keys, first.action_space, config.id),)
        self._rng = VectorRng(num_envs)
        self._ended = np.ones(num_envs, bool)  # Copies that wait for a reset.
        self._cut = np.zeros(num_envs, bool)  # Copies whose episode could not be restored; their next step ends it.
        self._frame_size: tuple[int, int] | None = None
        space = first.observation_space
        self._observations: np.ndarray = np.zeros((num_envs, *space.shape), space.dtype)
        self._seeds = np.zeros(num_envs, np.int64)  # The history of each copy's episode.
        self._actions: list[list[Any]] = [[] for _ in range(num_envs)]
        self._returns = np.zeros(num_envs)

    @property
    def envs(self) -> list[gymnasium.Env[Any, Any]]:
        """The copies themselves."""
        return [copy.env for copy in self._copies]

    @property
    def draws_globally(self) -> bool:
        """True if a copy drew from global generators."""
        return any(copy.generators.are_used for copy in self._copies)

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
        self._observations[index] = self._copies[index].reset(seed)
        self._ended[index] = self._cut[index] = False
        self._seeds[index], self._returns[index], self._actions[index] = seed, 0, []

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one action in each copy.

        Raises:
            UserError: If an environment raises an exception, or returns what it may not.
            ValueError: For an illegal action.
            RuntimeError: If a copy waits for a reset.
        """
        actions = legal(actions, self.action_space, self.single_action_space)
        require_reset(self._ended)
        rewards = np.zeros(self.num_envs, np.float32)
        terminated, truncated = np.zeros(self.num_envs, bool), self._cut.copy()
        infos: dict[str, Any] = {}
        for index in range(self.num_envs):
            if truncated[index]:  # Its episode could not be restored.
                continue
            outcome = self._step(index, actions[index])
            rewards[index], terminated[index], truncated[index] = outcome[1:4]
            if outcome.is_success is not None and (outcome.terminated or outcome.truncated):
                for name, value in (("is_success", outcome.is_success), ("_is_success", True)):
                    infos.setdefault(name, np.zeros(self.num_envs, bool))[index] = value
        self._ended = terminated | truncated
        return self._observations.copy(), rewards, terminated, truncated, infos

    def _step(self, index: int, action: np.ndarray) -> StepOutcome:
        """Take an action in one copy."""
        self._actions[index].append(np.array(action))  # A copy, because the caller may reuse the array.
        outcome = self._copies[index].step(action)
        self._observations[index] = outcome.observation
        self._returns[index] += outcome.reward
        return outcome

    def render_frame(self, index: int) -> np.ndarray:
        """Render copy `index` for people: a frame [H, W, 3], uint8.

        Raises:
            RenderError: If the environment renders nothing, or if replaying the episode does not reproduce it.
        """
        if not self._copies[index].renders:
            self._replace_by_rendering_copy(index)
        frame = self._copies[index].render()
        self._frame_size = self._frame_size or frame.shape[:2]
        return resized(frame, self._frame_size)

    def step_frames(self, index: int, *, playing: bool) -> list[np.ndarray]:
        """Render copy `index` for people; there is one frame per step."""
        return [self.render_frame(index)]

    def _replace_by_rendering_copy(self, index: int) -> None:
        """Replace a copy by one with a render mode, in the same state."""
        self._copies[index].require_frames()
        self._copies[index].close()
        self._copies[index] = GatedEnv(self._config.recipe, index, renders=True)
        if self._ended[index] and not self._actions[index]:  # No episode has started yet.
            return
        before = self._observations[index].copy(), self._returns[index], self._ended[index]
        ended = self._replay(index, int(self._seeds[index]), self._actions[index])
        after = self._observations[index], self._returns[index], ended
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after, strict=True)):
            raise RenderError(f"{self._config.id} cannot be shown: {DIFFERS}")
        self._ended[index] = ended

    def state_dict(self) -> dict[str, Any]:
        """Return the seed and the actions of every episode, and the observation, return and end to compare with."""
        flat, space = [action for actions in self._actions for action in actions], self.single_action_space
        return {
            "rules": self._rules,
            "rng": self._rng.state.copy(),
            "seeds": self._seeds.copy(),
            "lengths": np.array([len(actions) for actions in self._actions]),
            "actions": np.array(flat, space.dtype).reshape(len(flat), *(space.shape or ())),
            "ended": self._ended.copy(),
            "observations": self._observations.copy(),
            "returns": self._returns.copy(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a saved state by replaying the episodes.

        An episode that replaying does not reproduce is cut where it was saved: its next step truncates it.

        Raises:
            UserError: For the state of another environment.
        """
        require_same_rules(state, self._rules, self.num_envs)
        ends = np.cumsum(state["lengths"])
        for index, (seed, end, length) in enumerate(zip(state["seeds"], ends, state["lengths"], strict=True)):
            saved = state["observations"][index], state["returns"][index], state["ended"][index]
            actions = state["actions"][end - length : end]
            restored = True
            if length or not saved[2]:  # Otherwise no episode has started yet.
                ended = self._replay(index, int(seed), actions)
                now = self._observations[index], self._returns[index], ended
                restored = all(np.array_equal(a, b) for a, b in zip(saved, now, strict=True))
            self._observations[index], self._returns[index], self._ended[index] = saved
            self._actions[index], self._seeds[index] = list(actions), seed
            self._cut[index] = not restored and not saved[2]
        self._rng.state[:] = state["rng"]
        if self._cut.any():
            note(
                f"env.id={self._config.id}: {self._cut.sum()} of {self.num_envs} episodes cannot go on where they were "
                f"saved, so they are cut there and new ones begin: {DIFFERS}"
            )

    def _replay(self, index: int, seed: int, actions: Sequence[Any]) -> bool:
        """Replay an episode in one copy; return whether it ended. One that ends too early is not played on."""
        self._start(index, seed)
        ended = False
        for action in list(actions):
            if ended:
                return False
            outcome = self._step(index, action)
            ended = outcome.terminated or outcome.truncated
        return ended

    def close_extras(self, **kwargs: Any) -> None:
        """Close every copy."""
        self._close()
