"""Sequences from replay while a recurrent agent plays: what DRQN (Hausknecht & Stone 2015) learns from."""

from collections.abc import Callable
from typing import Literal

from pydantic import PositiveInt

from sandbox.buffers.sequences import draw_sequences
from sandbox.device import Compute
from sandbox.environment import Environment
from sandbox.learner import Agent, StreamConfig
from sandbox.seeding import Rng
from sandbox.streams.experience import Experience, ReplayConfig


class SequenceReplayConfig(ReplayConfig):
    """As `ReplayConfig`, but one observation at a time: the memory is the agent's."""

    stack: Literal[1] = 1


class SequencesConfig(StreamConfig):
    """`batch_size` windows of `length` transitions an update; none crosses an episode."""

    batch_size: PositiveInt = 32
    length: PositiveInt = 10
    replay: SequenceReplayConfig = SequenceReplayConfig()

    def make(self, source: Callable[[int], Environment], learner: Agent, rng: Rng, compute: Compute) -> Experience:
        return Experience(
            self.replay,
            lambda replay: draw_sequences(replay, self.batch_size, self.length),
            source,
            learner,
            rng,
            compute,
        )
