"""Sequences from replay while a recurrent agent plays: what DRQN (Hausknecht & Stone 2015) learns from."""

from collections.abc import Callable

from pydantic import PositiveInt

from sandbox.buffers.replay import Replay
from sandbox.buffers.sequences import Sequences, draw_sequences
from sandbox.device import Compute
from sandbox.environment import Environment
from sandbox.learner import Agent, StreamConfig
from sandbox.seeding import Rng
from sandbox.streams.experience import Experience, ReplayConfig


class SequencesConfig(StreamConfig):
    """`batch_size` windows of `length` transitions an update, of single observations; none crosses an episode."""

    batch_size: PositiveInt = 32
    length: PositiveInt = 10
    replay: ReplayConfig = ReplayConfig()

    def make(self, source: Callable[[int], Environment], learner: Agent, rng: Rng, compute: Compute) -> Experience:
        def draw(replay: Replay) -> Sequences:
            return draw_sequences(replay, self.batch_size, self.length)

        return Experience(self.replay, 1, draw, source, learner, rng, compute)
