"""A stream that learns what to draw."""

import numpy as np
import pytest
import torch

from sandbox.agents.random import Random
from sandbox.buffers.replay import Transitions
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.envs.catch import CatchConfig
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.spec import Spec
from sandbox.streams.experience import Experience, ReplayConfig
from sandbox.streams.prioritized import PrioritizedConfig

CPU = Compute(torch.device("cpu"))


class Learner(Random):
    """Acts at random, and learns from stacks of two."""

    def __init__(self, spec: Spec, rng: Rng, n_step: int) -> None:
        super().__init__(spec, rng)
        self.frame_stack, self.n_step = 2, n_step


def stream(n_step: int = 1, **options) -> Experience:
    replay = ReplayConfig(num_envs=4, capacity=400, warmup=40, update_period=8)
    config = PrioritizedConfig(**{"batch_size": 6, "replay": replay, **options})
    source, rng = CatchConfig(observe="features").make, Rng(0)
    return config.make(source, Learner(spec_of(source(1)), rng, n_step), rng, CPU)


def test_batches_come_when_they_are_due() -> None:
    experience = stream(n_step=3)
    steps = []
    for _ in range(3):
        batch = next(experience)
        assert batch.transitions.r_t.shape == (6, 3)
        assert batch.weights.shape == batch.priorities.shape == (6,)
        steps.append(experience.step)
    assert steps == [44, 52, 60]


def test_importance_follows_its_schedule() -> None:
    """From no weight at step 44, through a half at 60, to all of it at 76."""
    experience = stream(importance_exponent=Linear(start=0.0, end=1.0, steps=32, delay=44), priority_exponent=1.0)
    for expected in (0.0, 0.25, 0.5, 0.75, 1.0, 1.0):
        batch = next(experience)
        tree = experience.parts()["priorities"]._tree
        drawn = tree.values[experience.parts()["priorities"]._pending[0]]
        assert batch.weights.tolist() == pytest.approx((drawn.min() / drawn) ** expected, rel=1e-6)
        batch.set_priorities(torch.arange(1, 7))


def test_what_the_learner_writes_is_what_the_next_draw_follows() -> None:
    experience = stream(priority_exponent=1.0)
    batch, priorities = next(experience), experience.parts()["priorities"]
    drawn = priorities._pending[0]
    batch.set_priorities(torch.tensor([-1, -1, 1e9, 0.0, -1, -1]))  # -1 leaves a priority as it is
    next(experience)
    assert priorities._tree.values[drawn[[2, 3]]].tolist() == [1e9 + 1e-6, 1e-6]
    assert drawn[3] not in priorities._pending[0]


def test_nothing_is_drawn_whose_stack_has_been_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over wrap-around of rings of 12 rows; the row whose priority is written is the one that was drawn."""
    experience = stream(replay=ReplayConfig(num_envs=4, capacity=48, warmup=40, update_period=4))
    replay, drawn = experience.replay, list[tuple[bool, list[int]]]()
    at = replay.at

    def watched(env: np.ndarray, place: np.ndarray, n_step: int) -> Transitions:
        drawn.append((bool(replay.drawable(env, place).all()), replay.row(env, place).tolist()))
        return at(env, place, n_step)

    monkeypatch.setattr(replay, "at", watched)
    for _ in range(60):
        next(experience)
        assert drawn[-1] == (True, experience.parts()["priorities"]._pending[0].tolist())
    assert replay.span()[0].min() > 12


def test_mistakes_are_told() -> None:
    batch = next(experience := stream())
    batch.set_priorities(torch.full((6,), torch.nan))
    with pytest.raises(
        UserError, match=r"6 of 6 priorities in the last batch are not numbers >= 0; the first is nan\."
    ):
        next(experience)
    with pytest.raises(UserError, match=r"too few for a stack of 2"):
        stream(replay=ReplayConfig(num_envs=4, capacity=12))
    with pytest.raises(UserError, match=r"too few for a stack of 2"):
        stream(replay=ReplayConfig(num_envs=4, capacity=3))
