"""The worlds' interfaces: what a stream asks of one, and what people need to play it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from gymnasium import Space, spaces

from sandbox.core.errors import UserError
from sandbox.interfaces.spec import Spec


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


EnvFactory = Callable[[int], Environment]  # a number of copies -> the environment


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
