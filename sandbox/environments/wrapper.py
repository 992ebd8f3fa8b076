"""What every wrapper does: an environment around an environment, between which an `Transform` changes what passes.

Gymnasium's vector wrappers (1.4) are no help here: none knows masked resets, draws lane by lane, or saves itself.
Cost: a copy of the observations for each wrapper; 0.2 to 0.4 ms a step of 256 environments with 84x84 bytes, on one
core (a stack of four frames 1.3 ms).
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from gymnasium import Space, spaces

from sandbox.config.base import Config
from sandbox.core.errors import UserError
from sandbox.environments.checks import require_reset, reset_mask
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Environment


class WrapperConfig(Config):
    """A file under `sandbox/wrappers/` defines exactly one; the file's name is the wrapper's."""

    @abstractmethod
    def wrap(self, env: Environment) -> Environment:
        """Raises UserError if the wrapper does not fit what `env` shows or takes."""


class StepResult(NamedTuple):
    """What a step gives: observations [N, ...], then [N] each of rewards, terminated, truncated."""

    observations: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    infos: dict[str, Any]


class EpisodeStart(NamedTuple):
    """Environments that start an episode: observations [K, ...], which of the N they are [K], and `new_game` [K].

    `new_game` is False where only a life was lost and the same game goes on.
    """

    observations: np.ndarray
    lanes: np.ndarray
    new_game: np.ndarray


class Transform(Protocol):
    """What a wrapper's file writes. The observations that it is given are its own to change."""

    @property
    def observation_space(self) -> spaces.Box: ...
    def arrays(self) -> dict[str, np.ndarray]:
        """All state, N first; asked for anew each time, and written to when a state is restored."""

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        """What is shown [K, ...] where episodes start."""

    def step(
        self, below: Callable[[np.ndarray], StepResult], actions: np.ndarray, shown: np.ndarray, rng: VectorRng
    ) -> StepResult:
        """Step what lies `below`; `shown` [N, ...] is what was shown before, to be read only."""


class WrappedEnv:
    """`env` with an effect; `name` and `config` are the wrapper's. Keeps the `Environment` contract, masks included.

    It holds what it showed last, so that a masked reset shows the others just that, with no second draw for them.
    """

    def __init__(self, env: Environment, effect: Transform, name: str, config: WrapperConfig) -> None:
        self.num_envs = env.num_envs
        self.single_observation_space: Space[Any] = effect.observation_space
        self.single_action_space = env.single_action_space
        self.controls, self.fps = env.controls, env.fps
        below = env.wrappers if isinstance(env, WrappedEnv) else []
        self.wrappers: list[dict[str, Any]] = [*below, {name: config.model_dump(mode="json")}]  # innermost first
        self._env, self._effect = env, effect
        of_this_kind = sum(name in each for each in self.wrappers)  # they draw apart
        self._lanes = VectorRng(env.num_envs, f"{name} {of_this_kind}")
        space = effect.observation_space
        self._shown: np.ndarray = np.zeros((env.num_envs, *space.shape), space.dtype)
        self._ended, self._life_lost = np.ones(env.num_envs, bool), np.zeros(env.num_envs, bool)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """As the environment's; `seed` also starts the wrapper's own generators."""
        mask = reset_mask(options, self.num_envs)
        observations, infos = self._env.reset(seed=seed, options=options)
        seeded = self._lanes.start(seed, mask)
        lanes = np.flatnonzero(mask)
        new_game = (~self._life_lost | seeded)[lanes]
        self._shown[lanes] = self._effect.start(EpisodeStart(observations[lanes], lanes, new_game), self._lanes)
        self._ended[lanes] = self._life_lost[lanes] = False
        return self._shown.copy(), infos

    def step(self, actions: np.ndarray) -> StepResult:
        """Raises what the environment raises, and RuntimeError for a step past an end that a wrapper made."""
        require_reset(self._ended)
        after = self._effect.step(self._below, np.asarray(actions), self._shown, self._lanes)
        self._shown[...] = after.observations  # a copy: the caller may write to its own
        self._ended[...] = after.terminated | after.truncated
        self._life_lost[...] = after.infos.get("life_lost", False)
        return after

    def _below(self, actions: np.ndarray) -> StepResult:
        return StepResult(*self._env.step(actions))

    def draw(self, index: int) -> np.ndarray:
        """The environment's own picture: people see what the agent may not."""
        return self._env.draw(index)

    def _arrays(self) -> dict[str, np.ndarray]:
        own = {"lanes": self._lanes.state, "shown": self._shown, "ended": self._ended, "life_lost": self._life_lost}
        return own | self._effect.arrays()

    def state_dict(self) -> dict[str, Any]:
        arrays = {name: array.copy() for name, array in self._arrays().items()}
        return {"wrappers": list(self.wrappers), "arrays": arrays, "env": self._env.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises UserError for a state that was saved with other wrappers, or of another environment.

        An option that the saved ones lack is younger than the state, and passes.
        """
        saved, own = state.get("wrappers", []), self._arrays()
        pairs = zip(saved, self.wrappers, strict=False)
        today = [{name: here.get(name, {}) | options for name, options in there.items()} for there, here in pairs]
        if len(saved) != len(self.wrappers) or today != self.wrappers:
            raise UserError(
                f"this state was saved with env.wrappers {saved}, here they are {self.wrappers}; "
                "restore it with the same ones in the same order"
            )
        if {k: v.shape for k, v in own.items()} != {k: v.shape for k, v in state["arrays"].items()}:
            raise UserError(
                "this state was saved in another environment or another num_envs: "
                f"it shows {state['arrays']['shown'].shape}, this environment {self._shown.shape}"
            )
        self._env.load_state_dict(state["env"])
        for name, array in own.items():
            array[...] = state["arrays"][name]


def box_of(env: Environment) -> spaces.Box:
    """The space of what `env` shows.

    Raises:
        UserError: if that is not one array.
    """
    space = env.single_observation_space
    if not isinstance(space, spaces.Box):
        raise UserError(f"needs an environment that shows one Box, this one shows {space}")
    return space


def with_zero(space: spaces.Box) -> spaces.Box:
    """`space`, widened where needed so that a blank observation lies in it."""
    return spaces.Box(np.minimum(space.low, 0), np.maximum(space.high, 0), space.shape, space.dtype.type)
