"""Rollouts: segments of fresh experience, for agents that learn on-policy or without a replay."""

from pydantic import Field

from sandbox.config.numbers import Length, NumEnvs
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.environments.interaction import EnvStep
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import EnvFactory, Environment
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.stream import StreamConfig, step_memory
from sandbox.streams.actor import Actor


class RolloutsConfig(StreamConfig):
    """Segments of fresh experience."""

    num_envs: NumEnvs = Field(default=8, description="environments that step together")
    length: Length = Field(default=1, description="steps of every environment per batch")

    def memory(self, spec: Spec, learner: Agent) -> dict[str, int]:
        """Return the bytes of a step, and of the steps of a batch."""
        steps = self.length * self.num_envs * spec.num_bytes
        return {"num_envs": step_memory(self.num_envs, spec), "length": steps}

    def make(self, source: EnvFactory, learner: Agent, rng: Rng, compute: Compute) -> "Rollouts":
        """Build the stream."""
        return Rollouts(self, source(self.num_envs), learner, rng)


class Rollouts:
    """A stream of lists of `length` steps."""

    def __init__(self, config: RolloutsConfig, env: Environment, agent: Agent, rng: Rng) -> None:
        self._config = config
        self._actor = Actor(env, agent, rng)

    @property
    def step(self) -> int:
        """Agent steps so far, all environments together."""
        return self._actor.steps

    def __next__(self) -> list[EnvStep]:
        """Return the next steps."""
        return [self._actor.step() for _ in range(self._config.length)]

    def metrics(self) -> dict[str, float]:
        """Return means over the games that ended since the last call."""
        return self._actor.metrics()

    def parts(self) -> dict[str, Stateful]:
        """Return the actor."""
        return {"actor": self._actor}
