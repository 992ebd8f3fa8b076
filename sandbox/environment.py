"""The worlds' interfaces: what a stream asks of one, what people need to play it; and the checks they all make."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from gymnasium import Space, spaces

from sandbox.config import Config
from sandbox.errors import UserError
from sandbox.learner import Spec


@dataclass(frozen=True)
class Controls:
    """One player's keyboard: pygame's key names to actions, chords such as `up+space` among them.

    `idle` is the action while nothing is pressed; with None the game waits for a key.
    """

    keys: Mapping[str, int] = field(default_factory=dict)
    idle: int | None = 0


class Environment(Protocol):
    """A `gymnasium.vector.VectorEnv` with autoreset disabled, that can draw, be played, and save itself.

    `step` returns the true last observation when an episode ends; its environment then waits for
    `reset(options={"reset_mask": ended})`. Where its infos hold `life_lost` [N] bool, those environments ended an
    episode for learners only: a reset without a seed goes on with the same game, and its score counts on.
    """

    num_envs: int
    single_observation_space: Space[Any]
    single_action_space: Space[Any]
    controls: tuple[Controls, ...]  # one for each player
    fps: float  # steps a second that suit people

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]: ...

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]: ...

    def draw(self, index: int) -> np.ndarray:
        """The picture for people of environment `index`: [H, W, 3] uint8."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class WrapperConfig(Config):
    """A file under `sandbox/wrappers/` defines exactly one; the file's name is the wrapper's."""

    @abstractmethod
    def wrap(self, env: Environment) -> Environment:
        """Raises UserError if the wrapper does not fit what `env` shows or takes."""


def game_over(terminated: np.ndarray, truncated: np.ndarray, infos: Mapping[str, Any]) -> np.ndarray:
    """Where the whole game ended, [N]: a life lost ends an episode for learners, but not the game's score."""
    return (terminated | truncated) & ~infos.get("life_lost", np.zeros_like(terminated))


def spec_of(env: Environment) -> Spec:
    """What `env` delivers, for learners.

    Raises:
        UserError: for actions that are not one choice among a few, or observations that are not one array.
    """
    observation, action = env.single_observation_space, env.single_action_space
    if not isinstance(action, spaces.Discrete):
        raise UserError(f"agents here choose among Discrete actions, this environment has {action}; choose another one")
    if not isinstance(observation, spaces.Box):
        raise UserError(f"agents here see one Box, this environment shows {observation}; wrap it into one")
    return Spec(observation.shape, observation.dtype == np.uint8, int(action.n))


def reset_mask(options: dict[str, Any] | None, num_envs: int) -> np.ndarray:
    """Which environments [N] to reset: `options["reset_mask"]`, or all.

    Raises:
        ValueError: if it is no mask, or resets nothing.
    """
    mask = np.asarray((options or {}).get("reset_mask", np.ones(num_envs, bool)))
    if mask.shape != (num_envs,) or mask.dtype != np.bool_ or not mask.any():
        raise ValueError(f"options['reset_mask'] must be bool, of shape ({num_envs},), with at least one True")
    return mask


def legal(actions: np.ndarray, space: Space[Any], single: Space[Any]) -> np.ndarray:
    """The actions [N, ...] in the dtype of the batched `space`.

    Raises:
        ValueError: for actions outside it, or of another kind.
    """
    given, kind = np.asarray(actions), np.dtype(space.dtype)
    if given.shape != space.shape or not np.can_cast(given.dtype, kind, "same_kind"):
        raise ValueError(
            f"actions must be {kind} of shape {space.shape}, one of {single} for each environment; "
            f"got {given.dtype} of shape {given.shape}"
        )
    cast = given.astype(kind)
    if not space.contains(cast):
        raise ValueError(f"illegal action in {_few(given)}; each must be in {single}")
    return cast


def require_reset(ended: np.ndarray) -> None:
    """Refuse to step the environments that wait for a reset, `ended` [N].

    Raises:
        RuntimeError: and says how to reset them.
    """
    if ended.any():
        raise RuntimeError(
            f"environments {_few(np.flatnonzero(ended))} have not been reset; "
            "call reset(), or reset(options={'reset_mask': terminated | truncated}) after an episode's end"
        )


def require_same_rules(state: Mapping[str, Any], rules: Mapping[str, Any], num_envs: int) -> None:
    """Refuse a saved `state` of other rules or another number of copies; it holds its own `rules`, and `ended` [N].

    Raises:
        UserError: naming the options that differ.
    """
    there = state.get("rules", {"name": "something else"})
    if there.get("name") != rules["name"]:
        raise UserError(f"this state belongs to another environment: {there.get('name')}, not {rules['name']}")
    if differ := [
        f"{key} is {there.get(key)} there, {rules[key]} here" for key in rules if there.get(key) != rules[key]
    ]:
        raise UserError(f"this state belongs to other options of {rules['name']}: {', '.join(differ)}")
    if len(state["ended"]) != num_envs:
        raise UserError(f"this state belongs to another num_envs: {len(state['ended'])} there, {num_envs} here")


def _few(values: np.ndarray) -> str:
    """A message names some of thousands."""
    return np.array2string(values, threshold=10, edgeitems=3, separator=", ")
