"""Sequences from a replay for recurrent agents, as in DRQN.

Paper: Hausknecht & Stone 2015, "Deep Recurrent Q-Learning for Partially Observable MDPs".
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from sandbox.buffers.replay import Replay
from sandbox.buffers.sequences import Episodes, SequenceBatch, draw_sequences
from sandbox.config.numbers import BatchSize, Length
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import EnvFactory
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import RecurrentState
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.experience import Experience, ReplayConfig, ReplaySampler, batch_memory


class SequencesConfig(StreamConfig):
    """Sequences of single observations from a replay; none crosses the start of an episode."""

    batch_size: BatchSize = Field(default=32, description="sequences per update")
    length: Length = Field(default=10, description="transitions of a sequence")
    updates: Literal["random", "sequential"] = Field(
        default="random",
        description="`random`: sequences from anywhere, which begin with a recurrent state of zeros; `sequential`: "
        "episodes from their first step on, sequence after sequence, with the recurrent state of the one before",
    )
    replay: ReplayConfig = Field(
        default=ReplayConfig(capacity=400_000), description="the replay, and the environments that fill it"
    )

    def memory(self, spec: Spec, learner: Agent) -> dict[str, int]:
        """Return the bytes of the replay and of a batch."""
        return {**self.replay.memory(spec), "batch_size": batch_memory(self.batch_size * self.length, spec)}

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if self.length >= (rows := self.replay.capacity // self.replay.num_envs):
            raise ValueError(
                f"windows of length={self.length} do not fit into the {rows} observations that replay.capacity leaves "
                "each environment; raise it, or lower length"
            )
        return self

    def make(self, source: EnvFactory, learner: Agent, rng: Rng, compute: Compute) -> Experience:
        """Build the stream."""
        initial_state = learner.initial_state(self.batch_size)
        sampler: ReplaySampler = RandomSampler(self.batch_size, self.length, initial_state)
        if self.updates == "sequential":
            sampler = SequentialSampler(self.batch_size, self.length, initial_state)
        return Experience(self.replay, 1, sampler, source, learner, rng, compute)


class RandomSampler(ReplaySampler):
    """Sequences around uniformly drawn transitions (bootstrapped random updates)."""

    def __init__(self, batch_size: int, length: int, initial_state: RecurrentState) -> None:
        self._batch_size, self._length, self._initial_state = batch_size, length, initial_state

    def sample(self, replay: Replay, step: int) -> SequenceBatch:
        """Return a batch that begins with the initial state."""
        return SequenceBatch(draw_sequences(replay, self._batch_size, self._length), self._initial_state)


class SequentialSampler(ReplaySampler):
    """Whole episodes, sequence after sequence (bootstrapped sequential updates)."""

    def __init__(self, batch_size: int, length: int, initial_state: RecurrentState) -> None:
        self._episodes, self._length = Episodes(batch_size, initial_state), length

    def sample(self, replay: Replay, step: int) -> SequenceBatch:
        """Return a batch that begins with the recurrent states that the learner kept."""
        return self._episodes.draw(replay, self._length)

    def parts(self) -> dict[str, Stateful]:
        """Return the position in every episode."""
        return {"episodes": self._episodes}
