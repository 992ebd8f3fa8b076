"""`GatedEnv`: one copy of an environment of others, with all its results checked and all its exceptions named."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from sandbox.core.trust import trust
from sandbox.envs._gym.actions import decoder_of
from sandbox.envs._gym.errors import MisfitError, described, note_once, raised, wrong
from sandbox.envs._gym.frames import fps_of, frame_of
from sandbox.envs._gym.global_generators import GlobalGenerators
from sandbox.envs._gym.observations import Layout, encoder_of
from sandbox.envs._gym.program_settings import PrintsAside, ProgramSettings
from sandbox.envs._gym.registration import not_made
from sandbox.envs._gym.results import StepOutcome, end_of, reward_of, success_of, unpacked
from sandbox.envs._gym.spaces import own_spaces
from sandbox.interfaces.environment import RenderError

_RESET = "a tuple of observation and info"
_LATE = (
    "draws from `random`, but not in its first steps, so that this was noticed late. Until now these draws were not "
    "seeded, and a run with the same seed may differ; from now on they are."
)
DIFFERS = (
    "the same seed and actions do not lead to the same observation and return. Either it draws random numbers that "
    "reset(seed=...) does not seed, or its version has changed."
)
_WATCHED_STEPS = 100  # first steps of a copy, after which changed settings are restored in any case
_STEP = "a tuple of observation, reward, terminated, truncated and info"


class Recipe(NamedTuple):
    """The recipe of a copy: an id, keyword arguments of `gymnasium.make`, and how observations are shown."""

    env_id: str
    options: dict[str, Any]
    layout: Layout


class GatedEnv:
    """One copy of an environment.

    Attributes:
        env: The environment itself.
        observation_space: A Box.
        action_space: Discrete from 0, or a Box.
        metadata: The environment's metadata.
        fps: Frames per second.
        has_frames: Whether it has the render mode "rgb_array".
        renders: Whether it was made with it.
        generators: The copy's states of the global generators.
    """

    observation_space: spaces.Box

    def __init__(self, recipe: Recipe, index: int, renders: bool) -> None:
        """Make the copy of number `index`; with `renders`, with the render mode "rgb_array" if it has that one.

        Raises:
            UserError: If it cannot be made, or its spaces are not supported.
        """
        self._recipe, self._id = recipe, recipe.env_id
        self.generators = GlobalGenerators(index)
        self._watched, self._meddles = _WATCHED_STEPS, False
        self.env, self._is_open = self._make(), True
        try:
            found = self._call("metadata", lambda: self.env.metadata)
            self.metadata: dict[str, Any] = dict(found) if isinstance(found, dict) else {}
            modes = self.metadata.get("render_modes")
            self.has_frames = isinstance(modes, list | tuple) and "rgb_array" in modes
            if renders and self.has_frames:
                self.close()  # before the next one is made: there may be room for one only
                self.generators.seed(index)
                self.env, self._is_open = self._make(render_mode="rgb_array"), True
            self.renders = self.env.render_mode == "rgb_array"
            self.fps = fps_of(self.metadata)
            self._own_spaces = self._call("spaces", own_spaces, self.env)
            self._encode = encoder_of(
                self._call("observation_space", lambda: self.env.observation_space), recipe.layout
            )
            self.observation_space = self._encode.space
            self.action_space, self._decode = decoder_of(
                self._call("action_space", lambda: self.env.action_space), self._id
            )
        except BaseException:
            self.close()
            raise

    def _make(self, **more: Any) -> gymnasium.Env[Any, Any]:
        trust.require(self._id)
        given = {"disable_env_checker": True} | self._recipe.options | more  # this gate checks more
        try:
            with ProgramSettings():
                return self.generators.run(gymnasium.make, self._id, **given)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # Third-party code may raise anything for a wrong id or option.
            raise not_made(self._id, self._recipe.options, error) from error

    def reset(self, seed: int) -> np.ndarray:
        """Start an episode and return its first observation; the seed is that of the global generators, too."""
        self.generators.seed(seed)
        result = self._call("reset", self._seeded_reset, seed)
        if self.generators.drew_late:
            note_once(f"env.id={self._id}: {_LATE}")
        try:
            observation, _ = unpacked(result, 2, _RESET)
            return self._encode(observation)
        except MisfitError as misfit:
            raise wrong(self._id, "reset", misfit) from None

    def _seeded_reset(self, seed: int) -> Any:
        for space in self._own_spaces:
            space.seed(seed)
        return self.env.reset(seed=seed)

    def step(self, action: Any) -> StepOutcome:
        """Take an action."""
        result = self._call("step", self.env.step, self._decode(action))
        try:
            observation, reward, terminated, truncated, info = unpacked(result, 5, _STEP)
            return StepOutcome(
                self._encode(observation),
                reward_of(reward),
                end_of(terminated, "terminated"),
                end_of(truncated, "truncated"),
                self._success(info),
            )
        except MisfitError as misfit:
            raise wrong(self._id, "step", misfit) from None

    def _success(self, info: dict[str, Any]) -> bool | None:
        try:
            return success_of(info)
        except MisfitError as misfit:
            note_once(f"env.id={self._id}: step {misfit}; success rates leave it out")
            return None

    def require_frames(self) -> None:
        """Raise `RenderError` if the environment has no frames."""
        if not self.has_frames:
            raise RenderError(f"{self._id} cannot be shown: it has no render_mode 'rgb_array'")

    def render(self) -> np.ndarray:
        """Render a frame [H, W, 3] uint8.

        Raises:
            RenderError: If it has no frames.
        """
        self.require_frames()
        rendered = self._call("render", self.env.render)
        try:
            return frame_of(rendered)
        except MisfitError as misfit:
            raise RenderError(f"{self._id} cannot be shown: its `render` {misfit}") from None

    def close(self) -> None:
        """Close the environment; what it raises then is only noted."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            with ProgramSettings():
                self.generators.run(self.env.close)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            note_once(f"env.id={self._id}: close raised {described(error)}")

    def _call(self, name: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Return `call(...)`; whatever it raises, `SystemExit` included, becomes a message."""
        settings = self._settings(name)
        try:
            with settings:
                return self.generators.run(call, *arguments, **options)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise raised(self._id, name, error) from error
        finally:
            self._meddles |= settings.changed and name == "step"

    def _settings(self, name: str) -> PrintsAside | ProgramSettings:
        """Return the context of a call. Later steps only redirect prints, if the first ones changed no settings."""
        if name != "step":
            return ProgramSettings()
        self._watched -= self._watched > 0
        return ProgramSettings() if self._watched or self._meddles else PrintsAside()


def close_all(copies: list[GatedEnv]) -> None:
    """Close every copy."""
    for copy in copies:
        copy.close()
