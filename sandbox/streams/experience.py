"""Batches from a replay that grows while the agent acts, as in DQN (Mnih et al. 2015).

The environment steps that are due before the next batch are made right after the present one was sampled: before or
during the update with it, by the weights from before that update.
"""

import math
from abc import abstractmethod
from typing import Any, Literal, Protocol, Self

from pydantic import Field, model_validator

from sandbox.buffers.packed import LEAST_FOLD, OVERHEAD
from sandbox.buffers.replay import Replay, Transitions
from sandbox.config.base import Config
from sandbox.config.numbers import BatchSize, Capacity, NumEnvs, Steps
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.agent import Agent, TransitionLearner
from sandbox.interfaces.environment import EnvFactory, spec_of
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import RecurrentState
from sandbox.interfaces.stream import Stream, StreamConfig, step_memory
from sandbox.streams.actor import Actor
from sandbox.streams.ray_options import RayActors, require_actors, require_shares

_COLUMNS = 45  # bytes of a row besides its observation: action, reward, ages and, if there are any, priorities
_LARGE = 1_000_000_000  # bytes of observations from which on they are packed
_WARMUP_STEPS = 1_000  # agent steps after which a warm-up may be interrupted


class ReplayConfig(Config):
    """Options of a replay, of the environments that fill it, and of the pace of updates."""

    num_envs: NumEnvs = Field(default=8, description="environments that step together")
    capacity: Capacity = Field(default=100_000, description="observations that are kept, all environments together")
    warmup: Steps = Field(default=1_000, description="agent steps before the first update")
    update_period: Steps = Field(default=4, description="agent steps per update")
    packed: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="pack each observation of bytes by LZ4, in the host's memory; batches are the same. `auto` packs "
        "if the observations would take 1 GB or more, and the run is not on a GPU",
    )

    def memory(self, spec: Spec) -> dict[str, int]:
        """Return the bytes of the rows, and of one step of all environments."""
        observation = 2 * spec.num_bytes // LEAST_FOLD + OVERHEAD if self.packs(spec, "cpu") else spec.num_bytes
        rows = self.capacity * (observation + _COLUMNS)
        return {"replay.capacity": rows, "replay.num_envs": step_memory(self.num_envs, spec)}

    def packs(self, spec: Spec, device: str) -> bool:
        """Return whether a replay of such observations is packed."""
        large = self.capacity * spec.num_bytes >= _LARGE and device == "cpu"
        return spec.is_bytes and (self.packed == "always" or (self.packed == "auto" and large))

    @model_validator(mode="after")
    def _check_warmup(self) -> Self:
        if self.warmup < 2 * self.num_envs:
            raise ValueError(
                f"warmup must be at least 2 * num_envs = {2 * self.num_envs}, so that there is something to draw"
            )
        return self


def batch_memory(size: int, spec: Spec) -> int:
    """Return about the bytes of a batch of `size` pairs of observations, as floats."""
    return size * 4 * 4 * math.prod(spec.shape)


class ReplaySampler(Protocol):
    """A strategy of sampling batches from a replay."""

    @abstractmethod
    def sample(self, replay: Replay, step: int) -> Any:
        """Return a batch after `step` agent steps."""

    def observe(self, replay: Replay, state: RecurrentState) -> None:
        """Take note of the acting agent's recurrent state [N, ...] before the newest observations."""
        return None

    def parts(self) -> dict[str, Stateful]:
        """Return what decides the next batches besides the replay itself, by name."""
        return {}


class UniformSampler(ReplaySampler):
    """Transitions drawn uniformly, with replacement."""

    def __init__(self, batch_size: int, n_step: int) -> None:
        self._batch_size, self._n_step = batch_size, n_step

    def sample(self, replay: Replay, step: int) -> Transitions:
        """Return a batch."""
        return replay.at(*replay.draw(self._batch_size), self._n_step)


class ExperienceConfig(StreamConfig):
    """Transitions drawn uniformly from a replay."""

    batch_size: BatchSize = Field(default=32, description="transitions per update")
    replay: ReplayConfig = Field(default=ReplayConfig(), description="the replay, and the environments that fill it")
    actors: RayActors | None = Field(default=None, description="actors in other processes; null: the agent acts itself")

    @model_validator(mode="after")
    def _check_actors(self) -> Self:
        require_shares(self.actors, self.replay.num_envs)
        return self

    def memory(self, spec: Spec, learner: TransitionLearner) -> dict[str, int]:
        """Return the bytes of the replay and of a batch."""
        return {**self.replay.memory(spec), "batch_size": batch_memory(self.batch_size * learner.frame_stack, spec)}

    def make(self, source: EnvFactory, learner: TransitionLearner, rng: Rng, compute: Compute) -> Stream:
        """Build the stream."""
        sampler = UniformSampler(self.batch_size, learner.n_step)
        if self.actors is not None:
            return require_actors(source).experience(self.replay, self.actors, sampler, learner, rng, compute)
        return Experience(self.replay, learner.frame_stack, sampler, source, learner, rng, compute)


class Experience:
    """Lets the agent act until an update is due, samples a batch, and lets it act on during the update."""

    def __init__(
        self,
        config: ReplayConfig,
        frame_stack: int,
        sampler: ReplaySampler,
        source: EnvFactory,
        agent: Agent,
        rng: Rng,
        compute: Compute,
    ) -> None:
        env = source(config.num_envs)
        self._config, self._sampler, self._background = config, sampler, compute.background
        self._actor = Actor(env, agent, rng)
        generator, spec, device = rng.numpy("replay"), spec_of(env), compute.device
        packed = config.packs(spec, device.type)
        self.replay = Replay(config.capacity, env.num_envs, spec, frame_stack, generator, device, packed=packed)
        self._unused = Counter()  # agent steps since the warm-up that no batch was sampled for yet
        self._clock = Counter()  # agent steps when the latest batch was sampled; the actor has gone on since

    @property
    def step(self) -> int:
        """Agent steps before the latest batch, all environments together; the actor has gone on since."""
        return self._clock.value

    def __next__(self) -> Any:
        """Return the next batch; None during the warm-up, about every thousand agent steps."""
        self._background.wait()
        if self.replay.is_empty and self._actor.steps:  # a finished run goes on, and was saved without its replay
            self._unused.value = self._config.update_period - self._config.warmup
        if not self._act():  # before the first batch; for later ones this is done already
            return None
        self._unused.value -= self._config.update_period
        self._clock.value = self._actor.steps
        batch = self._sampler.sample(self.replay, self._clock.value)
        self._background.start(self._act)
        return batch

    def _act(self) -> bool:
        """Let the agent act until the next batch is due; return False if a long warm-up is to go on."""
        pause = self._actor.steps + _WARMUP_STEPS
        while self._actor.steps < self._config.warmup or self._unused.value < self._config.update_period:
            if self._actor.steps >= pause:
                return False
            step = self._actor.step()
            self.replay.add(step.observations, step.actions, step.rewards, step.terminated)
            self._sampler.observe(self.replay, step.state)  # while the newest rows hold step.observations
            self.replay.add_last(step.next_observations, step.ended)
            if self._actor.steps >= self._config.warmup:
                self._unused.value += self._config.num_envs
        return True

    def metrics(self) -> dict[str, float]:
        """Return means over the games that ended since the last call."""
        self._background.wait()
        return self._actor.metrics()

    def parts(self) -> dict[str, Stateful]:
        """Return environments, replay, counters and sampler."""
        self._background.wait()
        own: dict[str, Stateful] = {"replay": self.replay, "owed": self._unused, "clock": self._clock}
        return {"actor": self._actor, **own, **self._sampler.parts()}
