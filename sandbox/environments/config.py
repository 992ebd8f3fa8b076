"""`EnvConfig`: base of the environments' configs, with the wrappers around an environment."""

from abc import abstractmethod
from typing import Any, ClassVar

from gymnasium.vector import AutoresetMode, VectorEnv
from pydantic import Field

from sandbox.config.base import Config
from sandbox.core.errors import UserError
from sandbox.environments.wrappers._union import Wrapper
from sandbox.interfaces.environment import About, Environment


class EnvConfig(Config):
    """Base of the environments' configs; a file under `envs/` defines exactly one.

    Attributes:
        supports_two_players: True if the environment has an option `players`, which may be 1 or 2.
        title: Heading for people; empty takes the environment's name.
        goal: The goal and the rule that a beginner needs, in one or two short sentences.
        name: Name of the environment, which is also its file's.
    """

    supports_two_players: ClassVar[bool] = False
    title: ClassVar[str] = ""
    goal: ClassVar[str] = "Collect as much reward as you can."

    name: str
    wrappers: tuple[Wrapper, ...] = Field(
        (), description="wrappers around the environment, the innermost one first: [{flicker: {p: 0.5}}]"
    )

    @property
    def about(self) -> About:
        """The environment in words, for people."""
        return About(self.title or self.name.replace("_", " ").capitalize(), self.goal)

    @abstractmethod
    def bare(self, num_envs: int) -> Environment:
        """Make an environment of `num_envs` copies, without wrappers."""

    def bare_for_people(self, num_envs: int) -> Environment:
        """Make an environment as `bare` does, which will be rendered."""
        return self.bare(num_envs)

    def vector(self, num_envs: int, mode: AutoresetMode, render_mode: str | None) -> VectorEnv[Any, Any, Any]:
        """Make a `VectorEnv` for Gymnasium's own loops, without wrappers.

        Raises:
            ValueError: If there is none.
        """
        raise ValueError(f"{self.name} is made with `gymnasium.make_vec(id)` of its own id")

    def examine(self, *, renders: bool, together: bool) -> None:
        """Print notes about an environment that will not do all that a run asks of it.

        Args:
            renders: Whether the run will render it.
            together: Whether the run will make it a second time, for evaluations or videos, while it trains.
        """
        return None

    def make(self, num_envs: int, *, for_people: bool = False) -> Environment:
        """Make an environment of `num_envs` copies, with its wrappers.

        Args:
            num_envs: Number of copies.
            for_people: Whether it will be rendered.

        Raises:
            UserError: Names the wrapper that does not fit the environment or the wrappers below it.
        """
        env = self.bare_for_people(num_envs) if for_people else self.bare(num_envs)
        for index, wrapper in enumerate(self.wrappers):
            name, config = wrapper.chosen
            try:
                env = config.wrap(env)
            except UserError as error:
                raise UserError(f"env.wrappers.{index}.{name}: {error}") from None
        return env


def rules_of(config: EnvConfig, *free: str) -> dict[str, Any]:
    """Return the options that a saved state depends on.

    Args:
        config: Config of the environment. Its wrappers are left out: they save their own options.
        *free: Names of options that may differ when a state is restored.
    """
    return config.model_dump(mode="json", exclude={"wrappers", *free})
