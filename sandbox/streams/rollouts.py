"""What just happened, as it happens, with no memory: for agents that learn on-policy or not at all."""

from pydantic import PositiveInt

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import EnvFactory, Environment
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.actor import Actor, Step


class RolloutsConfig(StreamConfig):
    """`length` steps of `num_envs` environments a batch."""

    num_envs: PositiveInt = 8
    length: PositiveInt = 1

    def make(self, source: EnvFactory, learner: Agent, rng: Rng, compute: Compute) -> "Rollouts":
        return Rollouts(self, source(self.num_envs), learner, rng)


class Rollouts:
    """Yields lists of `length` steps."""

    def __init__(self, config: RolloutsConfig, env: Environment, agent: Agent, rng: Rng) -> None:
        self._config = config
        self._actor = Actor(env, agent, rng)

    @property
    def step(self) -> int:
        """Agent steps so far, all environments together."""
        return self._actor.steps

    def __next__(self) -> list[Step]:
        return [self._actor.step() for _ in range(self._config.length)]

    def metrics(self) -> dict[str, float]:
        return self._actor.metrics()

    def parts(self) -> dict[str, Stateful]:
        return {"actor": self._actor}
