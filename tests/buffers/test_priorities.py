"""Priorities against a list of what was lived: what has which priority, how often it is drawn, what it weighs."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.buffers.priorities import Priorities, Prioritized
from sandbox.buffers.replay import Replay
from sandbox.core.errors import UserError
from sandbox.interfaces.spec import Spec

CPU = torch.device("cpu")


class Env:
    """Random episodes in a replay with priorities; it remembers what was stored in each ring, place by place.

    An observation is its environment and its place; `priority` holds what each transition should have.
    """

    def __init__(self, num_envs: int, length: int, stack: int, exponent: float = 1.0, seed: int = 0) -> None:
        self.num_envs, self.length, self.stack, self.exponent = num_envs, length, stack, exponent
        spec = Spec((2,), is_bytes=False)
        self.replay = Replay(num_envs * length, num_envs, spec, stack, np.random.default_rng(seed), CPU)
        self.priorities = Priorities(num_envs, length, exponent, np.random.default_rng(seed + 1), stack - 1)
        self.random = np.random.default_rng(seed + 2)
        self.rings: list[list[tuple[str, int]]] = [[] for _ in range(num_envs)]  # step or last, and its age
        self.age = np.zeros(num_envs, int)
        self.priority: dict[tuple[int, int], float] = {}
        self.largest = 1.0

    def live(self, steps: int, end: float = 0.2) -> None:
        for _ in range(steps):
            here = [[env, len(ring)] for env, ring in enumerate(self.rings)]
            self.replay.add(np.array(here, np.float32), *np.zeros((2, self.num_envs)), np.zeros(self.num_envs, bool))
            ended = self.random.random(self.num_envs) < end
            for env, ring in enumerate(self.rings):
                ring.append(("step", int(self.age[env])))
            there = np.array([[env, len(ring)] for env, ring in enumerate(self.rings)], np.float32)
            self.replay.add_last(there, ended)
            for env in np.flatnonzero(ended):
                self.rings[env].append(("last", int(self.age[env]) + 1))
            self.age = np.where(ended, 0, self.age + 1)

    def expected(self) -> np.ndarray:
        """Row by row, what the tree should hold after a draw; new transitions enter here."""
        rows = np.zeros(self.num_envs * self.length)
        for env, ring in enumerate(self.rings):
            oldest = max(len(ring) - self.length, 0)
            for place in range(oldest, len(ring) - 1):
                kind, age = ring[place]
                if kind == "step" and place - min(age, self.stack - 1) >= oldest:
                    rows[env * self.length + place % self.length] = self.priority.setdefault((env, place), self.largest)
        return rows

    def draw(self, count: int = 8, importance: float = 1.0) -> Prioritized:
        drawn = self.priorities.draw(self.replay, Replay.drawable, count, importance)
        return Prioritized(self.replay.at(drawn.env, drawn.place, 1), drawn.weights, drawn.priorities)

    def learn(self, batch: Prioritized, errors: Any) -> None:
        """Write errors into a batch, and down."""
        batch.set_priorities(torch.as_tensor(errors))
        written = (batch.priorities.double().numpy() + 1e-6) ** self.exponent
        for name, priority in zip(names(batch), written, strict=True):
            self.priority[name] = float(priority)
        self.largest = max(self.largest, float(written.max()))


def names(batch: Prioritized) -> list[tuple[int, int]]:
    """(environment, place) of each transition."""
    return [(int(env), int(place)) for env, place in batch.transitions.s_tm1[:, -2:].tolist()]


@settings(max_examples=60, deadline=None)
@given(
    num_envs=st.integers(1, 3),
    stack=st.integers(1, 4),
    spare=st.integers(2, 20),
    lives=st.lists(st.integers(0, 12), min_size=1, max_size=8),
    seed=st.integers(0, 10_000),
)
def test_every_transition_has_its_priority(num_envs: int, stack: int, spare: int, lives: list[int], seed: int) -> None:
    """New ones the largest, learned ones their error, and 0 what cannot be drawn, across any number of wrap-arounds."""
    filled = Env(num_envs, stack + spare, stack, exponent=0.7, seed=seed)
    filled.live(2)
    for steps in lives:
        filled.live(steps)
        rows = filled.expected()
        batch = filled.draw()
        assert filled.priorities._tree.values.tolist() == rows.tolist()
        assert all(filled.priority[name] > 0 for name in names(batch))
        filled.learn(batch, filled.random.gamma(1.0, 2.0, 8).astype(np.float32))


def test_what_was_overwritten_in_between_keeps_its_new_priority() -> None:
    filled = Env(1, 6, 1)
    filled.live(6, end=0.0)
    batch = filled.draw()
    filled.live(6, end=0.0)  # every row is another transition now
    batch.priorities.fill_(50.0)
    filled.draw()
    held = filled.priorities._tree.values
    assert held.tolist() == pytest.approx([50 + 1e-6] * 5 + [0])  # all are new: the largest there was, the newest none


def test_what_lost_its_stack_in_between_stays_out() -> None:
    filled = Env(1, 8, 3)
    filled.live(8, end=0.0)
    batch = filled.draw(200)
    assert set(names(batch)) == {(0, place) for place in range(7)}  # an episode's start needs nothing before it
    filled.live(1, end=0.0)  # place 0 is gone: 1 and 2 reach back to it
    batch.priorities.fill_(9.0)
    assert set(names(filled.draw(200))) == {(0, place) for place in range(3, 8)}


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_frequencies_are_proportional_to_the_priorities(exponent: float) -> None:
    filled = Env(2, 30, 2, exponent)
    filled.live(40)
    filled.expected()
    for _ in range(6):  # until the errors are of all sizes
        batch = filled.draw(40)
        filled.learn(batch, torch.tensor([0.25 + sum(name) % 7 for name in names(batch)]))
    rows = filled.expected()
    counts: Counter = Counter()
    for _ in range(400):
        counts.update(names(filled.draw(50)))
    seen = {(env, place % 30): count for (env, place), count in counts.items()}
    assert len(seen) == (rows > 0).sum()
    for (env, slot), count in seen.items():
        expected = 20_000 * rows[env * 30 + slot] / rows.sum()
        assert abs(count - expected) < 5 * expected**0.5, (env, slot)
    if exponent == 0:
        assert set(rows[rows > 0]) == {1.0}


def test_a_batch_is_one_from_each_equal_part() -> None:
    """Stratified: with 8 equal priorities, 4 draws come one from each pair."""
    filled = Env(1, 20, 1)
    filled.live(9, end=0.0)
    for _ in range(20):
        assert [place // 2 for _, place in names(filled.draw(4))] == [0, 1, 2, 3]


def test_weights_by_hand() -> None:
    filled = Env(1, 20, 1, exponent=0.5)
    filled.live(3, end=0.0)  # two can be drawn
    batch = filled.draw(2)
    assert batch.weights.tolist() == [1, 1]
    filled.learn(batch, [4.0, 64.0])  # priorities 2 and 8
    for importance, small in ((0.0, 1.0), (0.5, 0.5), (1.0, 0.25)):
        batch = filled.draw(100, importance)
        weights = {name: float(weight) for name, weight in zip(names(batch), batch.weights, strict=True)}
        assert weights == pytest.approx({(0, 0): 1.0, (0, 1): small}, rel=1e-5)


def test_with_exponent_0_all_weigh_the_same() -> None:
    filled = Env(1, 20, 1, exponent=0.0)
    filled.live(15)
    for _ in range(3):
        batch = filled.draw()
        assert batch.weights.tolist() == [1.0] * 8
        filled.learn(batch, filled.random.random(8))


def test_what_is_not_written_stays_as_it_was() -> None:
    filled = Env(1, 20, 1)
    filled.live(9, end=0.0)
    filled.learn(filled.draw(), np.arange(8.0))
    batch = filled.draw()
    before = filled.priorities._tree.values.copy()
    batch.priorities[3] = 7.5
    changed = names(batch)[3][1]
    filled.draw()
    after = filled.priorities._tree.values
    assert np.flatnonzero(after != before).tolist() == [changed]
    assert after[changed] == 7.5 + 1e-6


@pytest.mark.parametrize(("bad", "said"), [(float("nan"), "nan"), (float("inf"), "inf"), (-0.5, "-0.5")])
def test_priorities_that_are_no_sizes_are_refused(bad: float, said: str) -> None:
    for asks in ("draw", "save"):
        filled = Env(1, 20, 1)
        filled.live(9)
        batch = filled.draw()
        batch.priorities.fill_(1.0)
        batch.priorities[5:7] = bad
        with pytest.raises(UserError, match=f"2 of 8 priorities in the last batch are not .* the first is {said}."):
            _ = filled.draw() if asks == "draw" else filled.priorities.state_dict()


@pytest.mark.parametrize("steps", [5, 60])
def test_restored_exactly(steps: int) -> None:
    """A state resumes exactly, saved before or after the new priorities are read, and into a used object."""
    filled, other = Env(2, 20, 3, 0.6), Env(2, 20, 3, 0.6, seed=7)
    filled.live(steps)
    for _ in range(3):
        filled.learn(filled.draw(), filled.random.random(8) * 9)
    other.live(90)
    other.draw().priorities.fill_(99.0)  # traces of another past must not survive
    saved = {name: np.copy(value) for name, value in filled.priorities.state_dict().items()}
    assert saved["rings"].shape[1] == min(20, max(map(len, filled.rings)))
    other.priorities.load_state_dict(saved)
    assert np.array_equal(other.priorities._tree._nodes, filled.priorities._tree._nodes)
    other.priorities._generator.bit_generator.state = filled.priorities._generator.bit_generator.state
    other.replay.load_state_dict({name: value.copy() for name, value in filled.replay.state_dict().items()})
    for _ in range(5):
        ours, theirs = filled.draw(), other.draw()
        assert names(ours) == names(theirs)
        assert torch.equal(ours.weights, theirs.weights)
        ours.set_priorities(ours.weights), theirs.set_priorities(ours.weights)
        for replay in (filled.replay, other.replay):
            replay.add(np.ones((2, 2), np.float32), *np.zeros((2, 2)), np.zeros(2, bool))
    assert np.array_equal(other.priorities._tree._nodes, filled.priorities._tree._nodes)


def test_saving_changes_nothing() -> None:
    """Even if the largest error so far is that of a transition which is overwritten after the save."""
    envs = [Env(1, 6, 1), Env(1, 6, 1)]
    for saves, filled in enumerate(envs):
        filled.live(6, end=0.0)
        filled.learn(filled.draw(), 50.0 + np.arange(8))
        if saves:
            filled.priorities.state_dict()
        filled.live(6, end=0.0)
        filled.draw()
    a, b = (filled.priorities for filled in envs)
    assert np.array_equal(a._tree._nodes, b._tree._nodes)
    assert a._largest == b._largest


def test_a_ring_that_is_too_short_to_draw_from_waits_for_more() -> None:
    """Episodes of one step fill a ring twice as fast: of four rows the first has three behind it, of two none has."""
    replay = Replay(80, 2, Spec((1,), is_bytes=False), 1, np.random.default_rng(0), CPU)
    for _ in range(2):
        replay.add(np.zeros((2, 1), np.float32), *np.zeros((2, 2)), np.zeros(2, bool))
        replay.add_last(np.zeros((2, 1), np.float32), np.array([True, False]))
    priorities = Priorities(2, 40, 1.0, np.random.default_rng(1), behind=0, ahead=3)
    drawn = priorities.draw(replay, Replay.drawable, 5, 1.0)
    assert drawn.env.tolist() == drawn.place.tolist() == [0] * 5
