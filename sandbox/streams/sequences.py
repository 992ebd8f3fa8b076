"""Sequences from replay while a recurrent agent plays: what DRQN (Hausknecht & Stone 2015) learns from."""

from collections.abc import Callable
from typing import Literal

from pydantic import PositiveInt

from sandbox.buffers.replay import Replay
from sandbox.buffers.sequences import Lanes, Sequences, draw_sequences
from sandbox.device import Compute
from sandbox.environment import Environment
from sandbox.learner import Agent, StreamConfig
from sandbox.seeding import Rng
from sandbox.streams.experience import Draws, Experience, ReplayConfig


class SequencesConfig(StreamConfig):
    """`batch_size` windows of `length` transitions an update, of single observations; none crosses an episode.

    `updates`: `random`, windows anywhere, from an empty memory; or `sequential`, whole episodes from their beginning,
    window after window, with the memory carried along.
    """

    batch_size: PositiveInt = 32
    length: PositiveInt = 10
    updates: Literal["random", "sequential"] = "random"
    replay: ReplayConfig = ReplayConfig(capacity=400_000)

    def make(self, source: Callable[[int], Environment], learner: Agent, rng: Rng, compute: Compute) -> Experience:
        draws = _in_order(self, learner) if self.updates == "sequential" else _anywhere(self, learner)
        return Experience(self.replay, 1, draws, source, learner, rng, compute)


def _anywhere(config: SequencesConfig, agent: Agent) -> Draws:
    def draw(replay: Replay, step: int) -> Sequences:
        return draw_sequences(replay, config.batch_size, config.length, agent.initial_state(config.batch_size))

    return Draws(draw)


def _in_order(config: SequencesConfig, agent: Agent) -> Draws:
    lanes = Lanes(config.batch_size, agent.initial_state(config.batch_size))
    return Draws(lambda replay, step: lanes.draw(replay, config.length), parts={"lanes": lanes})
