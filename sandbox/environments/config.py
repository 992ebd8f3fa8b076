"""What a run's config says of its environment: the one that a file under `envs/` defines, and what is put around it."""

from abc import abstractmethod
from typing import Any

from pydantic import Field

from sandbox.config.base import Config
from sandbox.core.errors import UserError
from sandbox.environments.wrappers._union import Wrapper
from sandbox.interfaces.environment import Environment


class EnvConfig(Config):
    """A file under `envs/` defines exactly one. `wrappers`: put around it in this order, the first one innermost."""

    wrappers: tuple[Wrapper, ...] = Field((), description="innermost first: [{flicker: {p: 0.5}}]")

    @abstractmethod
    def bare(self, num_envs: int) -> Environment:
        """`num_envs` copies that step together, without wrappers."""

    def make(self, num_envs: int) -> Environment:
        """`num_envs` copies that step together, as a run meets them.

        Raises:
            UserError: naming the wrapper, if one does not fit what is below it.
        """
        env = self.bare(num_envs)
        for index, wrapper in enumerate(self.wrappers):
            name, config = wrapper.chosen
            try:
                env = config.wrap(env)
            except UserError as error:
                raise UserError(f"env.wrappers.{index}.{name}: {error}") from None
        return env


def rules_of(config: EnvConfig, *free: str) -> dict[str, Any]:
    """The options that a saved state belongs to: all but the `free` ones, and the wrappers, which save their own."""
    return config.model_dump(mode="json", exclude={"wrappers", *free})
