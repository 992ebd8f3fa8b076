"""Sequences from replay while a recurrent agent plays: what DRQN (Hausknecht & Stone 2015) learns from."""

from typing import Literal, Self

from pydantic import PositiveInt, model_validator

from sandbox.buffers.sequences import Episodes, draw_sequences
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import EnvFactory
from sandbox.interfaces.stream import StreamConfig
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

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.length >= (rows := self.replay.capacity // self.replay.num_envs):
            raise ValueError(
                f"windows of length={self.length} do not fit into the {rows} observations that replay.capacity leaves "
                "each environment; raise it, or lower length"
            )
        return self

    def make(self, source: EnvFactory, learner: Agent, rng: Rng, compute: Compute) -> Experience:
        start = learner.initial_state(self.batch_size)
        draws = Draws(lambda replay, step: draw_sequences(replay, self.batch_size, self.length, start))
        if self.updates == "sequential":
            episodes = Episodes(self.batch_size, start)
            draws = Draws(lambda replay, step: episodes.draw(replay, self.length), parts={"episodes": episodes})
        return Experience(self.replay, 1, draws, source, learner, rng, compute)
