"""Stored recurrent states against a list of what was stored, over wrap-around of the rings."""

import numpy as np
import pytest
import torch

from sandbox.buffers.recurrent_states import RecurrentStates
from sandbox.buffers.replay import Replay
from sandbox.interfaces.spec import Spec

LENGTH, NUM_ENVS = 12, 3
CPU = torch.device("cpu")


def walk(first: int, period: int, steps: int) -> tuple[Replay, RecurrentStates, dict[tuple[int, int], tuple[int, int]]]:
    """Act for some steps in episodes of 40, 5 and 1 steps; the state before step t in environment e is (e, t).

    Returns:
        The replay, the states, and for each environment and place the age and the step.
    """
    replay = Replay(LENGTH * NUM_ENVS, NUM_ENVS, Spec((1,), False, 2), 1, np.random.default_rng(0), CPU)
    states = RecurrentStates(NUM_ENVS, LENGTH, first, period, torch.zeros(NUM_ENVS, 2))
    ages, seen = np.zeros(NUM_ENVS, int), {}
    for step in range(1, steps + 1):
        nothing = np.zeros(NUM_ENVS)
        replay.add(np.zeros((NUM_ENVS, 1), np.float32), nothing, nothing, nothing.astype(bool))
        states.add(replay, torch.tensor([[env, step] for env in range(NUM_ENVS)], dtype=torch.float32))
        seen |= {(env, int(place)): (int(ages[env]), step) for env, place in enumerate(replay.span()[1])}
        ages += 1
        ended = ages == [40, 5, 1]
        replay.add_last(np.zeros((NUM_ENVS, 1), np.float32), ended)
        ages[ended] = 0
    return replay, states, seen


@pytest.mark.parametrize(("first", "period"), [(1, 3), (3, 3), (2, 4), (1, 1)])
@pytest.mark.parametrize("steps", [4, 35])
def test_states_are_there_where_they_are_due_and_zero_at_a_start(first: int, period: int, steps: int) -> None:
    replay, states, seen = walk(first, period, steps)
    (oldest, newest), due = replay.span(), range(first, 40, period)
    held = [key for key in seen if oldest[key[0]] <= key[1] <= newest[key[0]]]
    env, place = (np.array(part) for part in zip(*held, strict=True))
    for key, found in zip(held, states.at(replay, env, place).tolist(), strict=True):
        age, step = seen[key]
        assert found == ([key[0], step] if age in due else [0, 0])


@pytest.mark.parametrize(("first", "period", "slots"), [(1, 3, 12 // 2 + 2), (3, 3, 12 // 3 + 2), (1, 1, 12 + 2)])
def test_no_more_states_are_kept_than_the_ring_can_need(first: int, period: int, slots: int) -> None:
    """Two states are at least `period` steps apart, or `first` steps and a last observation."""
    state = walk(first, period, 35)[1].state_dict()
    assert state["kept"].shape == (NUM_ENVS * slots, 2)
    assert state["slot"].shape == (NUM_ENVS * LENGTH,)
    ends = (len(range(first, 35, period)), 7 * len(range(first, 5, period)), 0)
    assert state["count"].tolist() == list(ends)


def test_each_environment_has_a_ring_of_its_own_in_a_checkpoint() -> None:
    kept = walk(1, 3, 5)[1].state_dict()["kept"].view(NUM_ENVS, -1, 2)
    assert kept[0, :3].tolist() == [[0, 2], [0, 5], [0, 0]]
    assert kept[1, :3].tolist() == [[1, 2], [1, 5], [0, 0]]
    assert not kept[2].any()


def test_a_restored_one_has_the_same_states() -> None:
    replay, states, seen = walk(1, 3, 35)
    other = RecurrentStates(NUM_ENVS, LENGTH, 1, 3, torch.zeros(NUM_ENVS, 2))
    other.load_state_dict(states.state_dict())
    env, place = (np.array(part) for part in zip(*list(seen)[-9:], strict=True))
    assert torch.equal(states.at(replay, env, place), other.at(replay, env, place))
    assert other.state_dict()["count"].tolist() == states.state_dict()["count"].tolist()
