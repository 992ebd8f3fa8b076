"""Batches as Stable-Baselines3 collects them, with its policy in our environments."""

from collections.abc import Callable
from typing import Any

from pydantic import PositiveInt
from stable_baselines3.common.callbacks import BaseCallback

from sandbox.agents._sb3.global_rng import Generators
from sandbox.agents._sb3.phases import Batch, OffPolicy, OnPolicy
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.actor import Actor


class SB3StreamConfig(StreamConfig):
    """Stable-Baselines3 counts its `n_steps` and `train_freq` in steps of all `num_envs` together."""

    num_envs: PositiveInt = 8

    def make(self, source: Callable[[int], Environment], learner: Any, rng: Rng, compute: Compute) -> "Collection":
        """Raises UserError for options that cannot train here."""
        return learner.begin(source(self.num_envs), rng)


class Collection:
    """A batch is what one turn of Stable-Baselines3's `learn` collects; the actor makes the steps."""

    def __init__(self, way: OnPolicy | OffPolicy, generators: Generators, actor: Actor, nothing: BaseCallback) -> None:
        """`nothing`: the callback that does nothing."""
        self._way, self._generators, self._actor, self._nothing = way, generators, actor, nothing
        self._held = way.begin()

    @property
    def step(self) -> int:
        """Agent steps so far, all environments together."""
        return self._actor.steps

    def __next__(self) -> Batch:
        with self._generators.in_place():
            return self._way.collect(self._nothing)

    def metrics(self) -> dict[str, float]:
        return self._actor.metrics()

    def parts(self) -> dict[str, Stateful]:
        return {"actor": self._actor, **self._held}
