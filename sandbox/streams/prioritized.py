"""Batches from replay while the agent plays, surprising transitions more often (Schaul et al. 2016)."""

from pydantic import NonNegativeFloat, PositiveInt

from sandbox.buffers.priorities import Priorities, Prioritized
from sandbox.buffers.replay import Replay
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import EnvFactory
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.experience import Draws, Experience, ReplayConfig


class PrioritizedConfig(StreamConfig):
    """`batch_size` transitions of `n_step` steps an update; observations are stacks of `stack`.

    They are drawn in proportion to |error|^`priority_exponent`, 0 is uniformly. `importance_exponent` weighs their
    losses against that,
    from 0, not at all, to 1, wholly (the paper's beta); it counts agent steps.
    """

    batch_size: PositiveInt = 32
    stack: PositiveInt = 4
    n_step: PositiveInt = 1
    priority_exponent: NonNegativeFloat = 0.5
    importance_exponent: Linear = Linear(start=0.4, end=1.0, steps=1_000_000)
    replay: ReplayConfig = ReplayConfig()

    def make(self, source: EnvFactory, learner: Agent, rng: Rng, compute: Compute) -> Experience:
        held = self.replay
        length, dice = held.capacity // held.num_envs, rng.numpy("priorities")
        priorities = Priorities(held.num_envs, length, self.priority_exponent, dice, behind=self.stack - 1)

        def draw(replay: Replay, step: int) -> Prioritized:
            drawn = priorities.draw(replay, Replay.drawable, self.batch_size, self.importance_exponent.at(step))
            return Prioritized(replay.at(drawn.env, drawn.place, self.n_step), drawn.weights, drawn.priorities)

        draws = Draws(draw, parts={"priorities": priorities})
        return Experience(self.replay, self.stack, draws, source, learner, rng, compute)
