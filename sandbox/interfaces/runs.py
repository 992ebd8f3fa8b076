"""`OtherRuns`: the models and data of other runs, for members that start from one."""

from typing import Any, Protocol

import numpy as np

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.learner import Learner


class OtherRuns(Protocol):
    """Other runs, by name, path or id. Implemented by `sandbox.runs.build`; a member never opens a run folder itself.

    All methods raise `UserError` for a run that is missing or does not fit.
    """

    def learner(self, run: str) -> Learner:
        """Return the learner of `run`, restored from its newest checkpoint. The caller must not train it."""

    def frames(self, env: dict[str, Any], agent: str, count: int, rng: Rng, stack: int = 1) -> np.ndarray:
        """Return `count` observations [count, stack * C, H, W] uint8 of an agent that acts in an environment.

        Args:
            env: Section of a config that describes the environment.
            agent: Name of an agent, or a run whose agent acts.
            count: Number of frames.
            rng: Random streams of the environment and the agent.
            stack: Number of consecutive observations that are joined along the first axis, the oldest first; those
                from before the start of an episode are zeros.
        """

    def numbers(self, env: dict[str, Any], agent: str, count: int, rng: Rng) -> np.ndarray:
        """Return the environment's features at the observations that `frames` returns, [count, D] float32.

        Arguments are those of `frames`.
        """


class NoOtherRuns:
    """No other runs: for members that are built outside of a run."""

    def learner(self, run: str) -> Learner:
        """Raise `UserError`."""
        raise UserError(f"there are no other runs here, so none is called {run!r}")

    def frames(self, env: dict[str, Any], agent: str, count: int, rng: Rng, stack: int = 1) -> np.ndarray:
        """Raise `UserError`."""
        raise UserError(f"there are no other runs here, so frames of {agent!r} cannot be collected")

    def numbers(self, env: dict[str, Any], agent: str, count: int, rng: Rng) -> np.ndarray:
        """Raise `UserError`."""
        raise UserError(f"there are no other runs here, so numbers of {agent!r}'s frames cannot be collected")


NO_RUNS = NoOtherRuns()
