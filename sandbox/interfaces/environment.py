"""The environment interface: the vector API of Gymnasium, plus rendering, keyboard controls and saved states."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from gymnasium import Space, spaces

from sandbox.core.errors import UserError
from sandbox.interfaces.spec import Spec


@dataclass(frozen=True)
class About:
    """Title and goal of an environment, for people.

    Attributes:
        title: Name, as a heading.
        goal: The goal and the rule that a beginner needs, in one or two short sentences.
    """

    title: str
    goal: str


@dataclass(frozen=True)
class Controls:
    """The keyboard of one player.

    Attributes:
        keys: The action for each key or chord, by pygame's names, such as `up` and `up+space`.
        idle: The action while no key is pressed. Several actions take turns. None makes the environment wait for a key.
        actions: A name for each action; empty if the actions have none.
        role: The figure that the player moves, such as `the blue paddle on the right`; empty if it is obvious.
    """

    keys: Mapping[str, int] = field(default_factory=dict)
    idle: int | tuple[int, ...] | None = 0
    actions: Sequence[str] = ()
    role: str = ""


class RenderError(UserError):
    """An environment without frames for people; training goes on without videos."""


class Environment(Protocol):
    """N copies of an environment that step together: a `gymnasium.vector.VectorEnv` with autoreset disabled.

    `step` returns the true last observation of an episode. That copy must then be reset with
    `reset(options={"reset_mask": terminated | truncated})` before the next step.

    If `infos["life_lost"][i]` is true, the episode of copy i ended for the learner only: a reset without a seed
    continues the same game, and its return keeps accumulating. `infos["is_success"][i]` says whether the episode of
    copy i reached its goal, where `infos["_is_success"][i]` is true.
    """

    num_envs: int
    single_observation_space: Space[Any]
    single_action_space: Space[Any]
    controls: tuple[Controls, ...]  # One for each player.
    fps: float  # Steps per second at which people play.

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start new episodes and return the observations [N, ...] and infos.

        Args:
            seed: `seed` + i or `seed[i]` seeds copy i; None continues its random numbers.
            options: `{"reset_mask": mask}` with a boolean mask [N] resets some copies only; the others keep their
                state, and their last observation is returned again.
        """

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one action in each copy.

        Args:
            actions: One action for each copy, [N, ...].

        Returns:
            Observations [N, ...], rewards [N], terminated [N], truncated [N] and infos.

        Raises:
            ValueError: For an illegal action.
            RuntimeError: If a copy waits for a reset.
        """

    def render_frame(self, index: int) -> np.ndarray:
        """Render copy `index` for people: a frame [H, W, 3], uint8.

        Raises:
            RenderError: If the environment has no frames.
        """

    def step_frames(self, index: int, *, playing: bool) -> Sequence[np.ndarray]:
        """Render the last step of copy `index` for people: its frames in order, the present one last.

        Args:
            index: Number of the copy.
            playing: Whether a person is in control, who must not see what agents do not observe.

        Raises:
            RenderError: If the environment has no frames.
        """

    def close(self) -> None:
        """Release what the copies hold, such as windows, ports and processes."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything that determines the future of all copies."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state that `state_dict` returned.

        Raises:
            UserError: If the state belongs to another environment, to other options or to another number of copies.
        """


EnvFactory = Callable[[int], Environment]  # Makes an environment of the given number of copies.


def game_over(terminated: np.ndarray, truncated: np.ndarray, infos: Mapping[str, Any]) -> np.ndarray:
    """Return a mask [N] of the copies whose game ended.

    A lost life ends an episode for the learner, but it does not end the game.
    """
    return (terminated | truncated) & ~infos.get("life_lost", np.zeros_like(terminated))


def successes(infos: Mapping[str, Any], num_envs: int) -> np.ndarray:
    """Return 1 [N] for a success, 0 for a failure, and NaN where the infos do not say."""
    none = np.zeros(num_envs, bool)
    return np.where(infos.get("_is_success", none), infos.get("is_success", none), np.nan)


def spec_of(env: Environment) -> Spec:
    """Return the shapes that a learner of `env` is built for.

    Raises:
        UserError: If the actions are neither Discrete nor a Box, or an observation is not a single array.
    """
    observation, action = env.single_observation_space, env.single_action_space
    if not isinstance(action, spaces.Discrete | spaces.Box):
        raise UserError(
            f"agents need Discrete actions or a Box, but this environment has {action}; choose another environment"
        )
    if not isinstance(observation, spaces.Box):
        raise UserError(
            f"agents need observations in a Box, but this environment has {observation}; wrap it so that an "
            "observation is one array"
        )
    is_bytes = bool(observation.dtype == np.uint8)
    if isinstance(action, spaces.Box):
        return Spec(observation.shape, is_bytes, action_space=action)
    return Spec(observation.shape, is_bytes, int(action.n))
