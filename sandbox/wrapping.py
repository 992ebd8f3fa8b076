"""What every wrapper's config does."""

from abc import abstractmethod

from sandbox.config import Config
from sandbox.environment import Environment


class WrapperConfig(Config):
    """A file under `sandbox/wrappers/` defines exactly one; the file's name is the wrapper's."""

    @abstractmethod
    def wrap(self, env: Environment) -> Environment:
        """Raises UserError if the wrapper does not fit what `env` shows or takes."""
