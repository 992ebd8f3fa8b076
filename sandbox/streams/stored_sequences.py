"""Sequences from a replay with priorities and stored recurrent states, as in R2D2.

Paper: Kapturowski et al. 2019, "Recurrent Experience Replay in Distributed Reinforcement Learning".
"""

from typing import NamedTuple, Self

import numpy as np
import torch
from pydantic import Field, model_validator

from sandbox.buffers.priorities import Priorities
from sandbox.buffers.recurrent_states import RecurrentStates
from sandbox.buffers.replay import Replay
from sandbox.buffers.sequences import Sequences, sequences_at
from sandbox.config.numbers import BatchSize, Length, LengthOrZero
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import EnvFactory
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import RecurrentState
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.experience import Experience, ReplayConfig, ReplaySampler, batch_memory
from sandbox.streams.prioritized import ImportanceExponent, PriorityExponent


class StoredSequences(NamedTuple):
    """Sequences of B transitions to learn from, each with the transitions and the recurrent state before it.

    Attributes:
        burn_in: L transitions before each sequence, [B, L + 1, ...] observations; nothing is learned from them.
        state: The recurrent states before `burn_in`, as stored when the agent acted.
        sequences: The sequences, [B, T + 1, ...] observations.
        starts: [B] bool, true where a sequence begins with its episode, so that nothing precedes it.
        later_state: The states stored before observation number `later_at` of each sequence.
        later_at: Number of that observation, at which the burn-in of the next sequence begins.
        is_later: [B] bool, true where there is such a state.
        weights: Weights [B] of the losses, as in `Prioritized`.
        priorities: Priorities [B], to be set by `set_priorities`.
    """

    burn_in: Sequences
    state: RecurrentState
    sequences: Sequences
    starts: torch.Tensor
    later_state: RecurrentState
    later_at: int
    is_later: torch.Tensor
    weights: torch.Tensor
    priorities: torch.Tensor

    def set_priorities(self, errors: torch.Tensor) -> None:
        """Hand back the size of each sequence's error, [B] >= 0; the next draw uses them."""
        self.priorities.copy_(errors)


class StoredSequencesConfig(StreamConfig):
    """Sequences drawn from a replay by their priorities; none crosses the start of an episode."""

    batch_size: BatchSize = Field(default=64, description="sequences per update")
    length: Length = Field(default=80, description="transitions of a sequence, without burn-in")
    period: Length = Field(default=40, description="a sequence begins every so many steps of an episode")
    burn_in: LengthOrZero = Field(
        default=40,
        description="transitions before a sequence that only refresh the recurrent state; none at an episode's start",
    )
    priority_exponent: PriorityExponent = 0.9
    importance_exponent: ImportanceExponent = Linear(start=0.6, end=0.6)
    replay: ReplayConfig = Field(
        default=ReplayConfig(warmup=5_000), description="the replay, and the environments that fill it"
    )

    def memory(self, spec: Spec, learner: Agent) -> dict[str, int]:
        """Return the bytes of the replay and of a batch."""
        return {
            **self.replay.memory(spec),
            "batch_size": batch_memory(self.batch_size * (self.burn_in + self.length), spec),
        }

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if self.burn_in > self.period:
            raise ValueError(
                f"burn_in={self.burn_in} reaches back beyond the sequence before (period={self.period}); lower it"
            )
        if self.period > self.length:
            raise ValueError(
                f"with period={self.period} some steps are in no sequence of length={self.length}; lower it"
            )
        rows, least = self.replay.capacity // self.replay.num_envs, self.burn_in + self.length + self.period
        if rows < 2 * least:
            raise ValueError(
                f"replay.capacity={self.replay.capacity} leaves each environment {rows} observations; sequences like "
                f"these want at least {2 * least}. Set it to at least {2 * least * self.replay.num_envs}"
            )
        if self.replay.warmup < (least + 1) * self.replay.num_envs:
            raise ValueError(
                f"replay.warmup must be at least {(least + 1) * self.replay.num_envs}, "
                "so that each environment has a whole sequence to draw"
            )
        return self

    def make(self, source: EnvFactory, learner: Agent, rng: Rng, compute: Compute) -> Experience:
        """Build the stream."""
        sampler = StoredSequenceSampler(self, learner, rng.numpy("priorities"))
        return Experience(self.replay, 1, sampler, source, learner, rng, compute)


class StoredSequenceSampler(ReplaySampler):
    """Sequences drawn in proportion to their priorities; each is known by the place at which learning begins."""

    def __init__(self, config: StoredSequencesConfig, agent: Agent, generator: np.random.Generator) -> None:
        self._config, num_envs = config, config.replay.num_envs
        rows = config.replay.capacity // num_envs
        self._priorities = Priorities(
            num_envs, rows, config.priority_exponent, generator, behind=config.burn_in, ahead=config.length
        )
        first = config.period - config.burn_in or config.period
        self._states = RecurrentStates(num_envs, rows, first, config.period, agent.initial_state(num_envs))

    def sample(self, replay: Replay, step: int) -> StoredSequences:
        """Return a batch."""
        config = self._config
        exponent = config.importance_exponent.at(step)
        drawn = self._priorities.draw(replay, self._drawable, config.batch_size, exponent)
        env, place, starts = drawn.env, drawn.place, replay.age(drawn.env, drawn.place) == 0
        before = np.where(starts, place, place - config.burn_in)  # an episode's start has nothing to burn in
        later_at = config.period - config.burn_in
        later = place + later_at
        age = replay.age(env, later)
        is_later = (age == replay.age(env, place) + later_at) & (age > 0) & replay.drawable(env, later)
        return StoredSequences(
            sequences_at(replay, env, before, config.burn_in),
            self._states.at(replay, env, before),
            sequences_at(replay, env, place, config.length),
            replay.send(starts),
            self._states.at(replay, env, later),
            later_at,
            replay.send(is_later),
            drawn.weights,
            drawn.priorities,
        )

    def _drawable(self, replay: Replay, env: np.ndarray, place: np.ndarray) -> np.ndarray:
        age = replay.age(env, place)
        back = np.minimum(age, self._config.burn_in)
        return replay.drawable(env, place) & (age % self._config.period == 0) & (place - back >= replay.span()[0][env])

    def observe(self, replay: Replay, state: RecurrentState) -> None:
        """Store the recurrent states with which a burn-in begins."""
        self._states.add(replay, state)

    def parts(self) -> dict[str, Stateful]:
        """Return priorities and stored states."""
        return {"priorities": self._priorities, "states": self._states}
