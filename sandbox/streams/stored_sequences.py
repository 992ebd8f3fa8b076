"""Sequences from replay with the states they began in, surprising ones more often: what R2D2 learns from.

Paper: Kapturowski et al. 2019, "Recurrent Experience Replay in Distributed Reinforcement Learning".
"""

from typing import NamedTuple, Self

import numpy as np
import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from sandbox.buffers.priorities import Priorities
from sandbox.buffers.recurrent_states import RecurrentStates
from sandbox.buffers.replay import Replay
from sandbox.buffers.sequences import Sequences, sequences_at
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import EnvFactory
from sandbox.interfaces.state import RecurrentState
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.experience import Draws, Experience, ReplayConfig


class StoredSequences(NamedTuple):
    """Windows of burn-in and learnt transitions, with what the agent carried before them when it acted.

    `burn_in`: [B, L, ...] observations, of which nothing is learnt, and what followed; `learnt`: [B, T + 1, ...] those
    after them. `burn_in.carried` holds the stored states; `starts` [B] is true where `learnt` begins with an episode,
    so that nothing comes before it. `later` are the states stored `period - L` observations into `learnt`, where the
    next sequence's burn-in begins, and `is_later` [B] says where there is one. Weights and priorities [B] are as in
    `Prioritized`.
    """

    burn_in: Sequences
    learnt: Sequences
    starts: torch.Tensor
    later: RecurrentState
    is_later: torch.Tensor
    weights: torch.Tensor
    priorities: torch.Tensor


class StoredSequencesConfig(StreamConfig):
    """`batch_size` windows of `length` transitions an update, which begin every `period` steps of an episode.

    `burn_in` transitions come before them, but at an episode's start; none crosses an episode. They are drawn in
    proportion to |error|^`priority_exponent`; `importance_exponent` weighs their losses against that (the paper's
    beta), by agent steps.
    """

    batch_size: PositiveInt = 64
    length: PositiveInt = 80
    period: PositiveInt = 40
    burn_in: NonNegativeInt = 40
    priority_exponent: NonNegativeFloat = 0.9
    importance_exponent: Linear = Linear(start=0.6, end=0.6)
    replay: ReplayConfig = ReplayConfig(warmup=5_000)

    @model_validator(mode="after")
    def _fits(self) -> Self:
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
        draws = _Drawing(self, learner, rng)
        parts: dict[str, Stateful] = {"priorities": draws.priorities, "states": draws.states}
        return Experience(self.replay, 1, Draws(draws.draw, draws.states.add, parts), source, learner, rng, compute)


class _Drawing:
    """A sequence is known by the place at which learning begins."""

    def __init__(self, config: StoredSequencesConfig, agent: Agent, rng: Rng) -> None:
        self._config, num_envs = config, config.replay.num_envs
        rows = config.replay.capacity // num_envs
        self.priorities = Priorities(
            num_envs,
            rows,
            config.priority_exponent,
            rng.numpy("priorities"),
            behind=config.burn_in,
            ahead=config.length,
        )
        first = config.period - config.burn_in or config.period
        self.states = RecurrentStates(num_envs, rows, first, config.period, agent.initial_state(num_envs))

    def _drawable(self, replay: Replay, env: np.ndarray, place: np.ndarray) -> np.ndarray:
        age = replay.age(env, place)
        back = np.minimum(age, self._config.burn_in)
        return replay.drawable(env, place) & (age % self._config.period == 0) & (place - back >= replay.span()[0][env])

    def draw(self, replay: Replay, step: int) -> StoredSequences:
        config = self._config
        drawn = self.priorities.draw(replay, self._drawable, config.batch_size, config.importance_exponent.at(step))
        env, place, starts = drawn.env, drawn.place, replay.age(drawn.env, drawn.place) == 0
        before = np.where(starts, place, place - config.burn_in)  # an episode's start has nothing to burn in
        burn_in = sequences_at(replay, env, before, config.burn_in, self.states.at(replay, env, before))
        learnt = sequences_at(replay, env, place, config.length, None)
        there = place + config.period - config.burn_in
        age = replay.age(env, there)
        is_later = (age == replay.age(env, place) + there - place) & (age > 0) & replay.drawable(env, there)
        later = self.states.at(replay, env, there)
        begins, is_kept = replay.send(starts), replay.send(is_later)
        return StoredSequences(burn_in, learnt, begins, later, is_kept, drawn.weights, drawn.priorities)
