"""The stream of a Stable-Baselines3 algorithm: batches that it collects with its own policy."""

from collections.abc import Callable
from typing import Any

from pydantic import Field
from stable_baselines3.common.callbacks import BaseCallback

from sandbox.agents._sb3.global_rng import Generators
from sandbox.agents._sb3.phases import Batch, OffPolicy, OnPolicy
from sandbox.config.numbers import NumEnvs
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.stream import StreamConfig, step_memory
from sandbox.streams.actor import Actor


class SB3StreamConfig(StreamConfig):
    """Options of the environments of a Stable-Baselines3 algorithm."""

    num_envs: NumEnvs = Field(
        default=8, description="environments that step together; `n_steps` and `train_freq` count steps of them all"
    )

    def memory(self, spec: Spec, learner: Any) -> dict[str, int]:
        """Return the bytes of one step of all environments; the algorithm's buffers have checks of their own."""
        return {"num_envs": step_memory(self.num_envs, spec)}

    def make(self, source: Callable[[int], Environment], learner: Any, rng: Rng, compute: Compute) -> "Collection":
        """Build the stream.

        Raises:
            UserError: For options that cannot train here.
        """
        return learner.begin(source(self.num_envs), rng)


class Collection:
    """A stream of the batches that one turn of Stable-Baselines3's `learn` collects; the actor makes the steps."""

    def __init__(
        self, phases: OnPolicy | OffPolicy, generators: Generators, actor: Actor, callback: BaseCallback
    ) -> None:
        """Begin training; `callback` does nothing."""
        self._phases, self._generators = phases, generators
        self._actor, self._callback = actor, callback
        self._phase_parts = phases.begin()

    @property
    def step(self) -> int:
        """Agent steps so far, all environments together."""
        return self._actor.steps

    def __next__(self) -> Batch:
        """Return the next batch."""
        with self._generators.in_place():
            return self._phases.collect(self._callback)

    def metrics(self) -> dict[str, float]:
        """Return means over the games that ended since the last call."""
        return self._actor.metrics()

    def parts(self) -> dict[str, Stateful]:
        """Return the actor and the parts of the algorithm."""
        return {"actor": self._actor, **self._phase_parts}
