"""Demonstrations: the file, and how they come into a replay."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

from sandbox.buffers.demonstrations import Demos, fill, read_demos, write_demos
from sandbox.buffers.replay import Replay
from sandbox.core.errors import UserError
from sandbox.interfaces.spec import Spec


def demos(ends, count):
    """Step t sees t, and after an episode's last step t its true last observation is 100 + t. Others follow on."""
    ended = np.zeros(count, bool)
    ended[ends] = True
    return Demos(
        {"env": {"name": "catch"}, "id": "Sandbox/Catch-v0"},
        np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1),
        np.arange(count) % 3,
        np.arange(count, dtype=np.float32),
        ended & (np.arange(count) != count - 1),  # the last one is broken off
        ended,
        (100 + np.flatnonzero(ended)).astype(np.uint8).reshape(-1, 1, 1, 1),
    )


def replay(num_envs, stack=1):
    spec = Spec((1, 1, 1), True, 3)
    return Replay(40 * num_envs, num_envs, spec, stack, np.random.default_rng(0), torch.device("cpu"))


def test_a_file_keeps_all_of_it(tmp_path):
    before = demos([2, 6], 7)
    write_demos(tmp_path / "demos.npz", before)
    after = read_demos(tmp_path / "demos.npz")
    assert after.played == before.played
    for name in ("observations", "actions", "rewards", "terminated", "ended", "finals"):
        np.testing.assert_array_equal(vars(after)[name], vars(before)[name])
    assert [file.name for file in tmp_path.iterdir()] == ["demos.npz"]


def test_transitions_are_the_persons():
    """0 1 2 | 3 4 5 6, the first end a termination, the second broken off: it bootstraps from what was seen last."""
    held = replay(1)
    assert fill(held, demos([2, 6], 7), 1) == 7
    places = np.array([0, 1, 2, 4, 5, 6, 7])  # place 3 and 8 are last observations
    batch = held.at(np.zeros(7, np.int64), places, 1)
    assert held.drawable(np.zeros(9, np.int64), np.arange(9)).tolist() == [True] * 3 + [False] + [True] * 4 + [False]
    assert batch.s_tm1.flatten().tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert batch.s_t.flatten().tolist() == [1, 2, 102, 4, 5, 6, 106]
    assert batch.discount_t.flatten().tolist() == [1, 1, 0, 1, 1, 1, 1]
    assert batch.r_t.flatten().tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_each_environment_gets_a_share_and_none_crosses_into_the_next():
    held = replay(2, stack=2)
    assert fill(held, demos([2, 6], 7), 2) == 6
    env, place = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 0, 1, 2])
    batch = held.at(env, place, 1)
    assert batch.s_tm1.flatten(1).tolist() == [[0, 0], [0, 1], [1, 2], [0, 3], [3, 4], [4, 5]]
    assert batch.s_t.flatten(1).tolist() == [[0, 1], [1, 2], [2, 102], [3, 4], [4, 5], [5, 6]]
    held.add(np.full((2, 1, 1, 1), 200, np.uint8), np.zeros(2, int), np.zeros(2), np.zeros(2, bool))
    assert held.age(np.array([0, 1]), np.array([4, 4])).tolist() == [0, 0]


def test_too_few_steps_are_refused():
    with pytest.raises(UserError) as error:
        fill(replay(8), demos([2], 3), 8)
    assert str(error.value) == (
        "3 demonstrated steps are too few for 8 environments; record more, "
        "or set agent.stream.replay.num_envs=3 or less"
    )


@pytest.mark.parametrize("content", [b"", b"hello", None])
def test_what_is_no_demonstration_is_refused(tmp_path, content):
    path = tmp_path / "demos.npz"
    if content is not None:
        path.write_bytes(content)
    else:
        np.savez(path, header=np.array({"pickled": object()}, object))
    with pytest.raises(UserError) as error:
        read_demos(path)
    assert str(error.value) == (
        f"{path} holds no demonstrations: it is not an .npz file as `sandbox play` writes it, with a header of the "
        "format 'sandbox-demos-1' and the columns observations, actions, rewards, terminated, ended, finals. "
        "Record some with `sandbox play ENV --record FILE`."
    )
    with pytest.raises(UserError, match="there is no such file"):
        read_demos(tmp_path / "other.npz")


def test_another_version_is_told(tmp_path):
    path = tmp_path / "demos.npz"
    np.savez(path, header=np.array(json.dumps({"format": "sandbox-demos-9"})))
    with pytest.raises(UserError) as error:
        read_demos(path)
    assert str(error.value) == (
        f"{path} is of the format 'sandbox-demos-9', but this version reads 'sandbox-demos-1'. "
        "Record some with `sandbox play ENV --record FILE`."
    )


def short(name):
    """Demonstrations of which one column has lost its last row."""
    whole = demos([2, 6], 7)
    return Demos(**{**vars(whole), name: vars(whole)[name][:-1]})


DAMAGED = {
    **{name: short(name) for name in ("observations", "actions", "rewards", "terminated", "ended", "finals")},
    "no steps": demos([], 0),
    "broken off": demos([2], 7),
    "ends a row early": Demos(**{**vars(demos([2, 6], 7)), "ended": demos([2, 5], 6).ended}),
    "too many ends": Demos(**{**vars(demos([2, 6], 7)), "ended": np.arange(7) % 2 == 0}),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_columns_that_do_not_belong_together_are_refused(tmp_path, damage):
    write_demos(tmp_path / "demos.npz", DAMAGED[damage])
    with pytest.raises(UserError, match="is damaged: its columns do not belong together"):
        read_demos(tmp_path / "demos.npz")


def test_a_single_step_is_a_demonstration(tmp_path):
    write_demos(tmp_path / "demos.npz", demos([0], 1))
    assert len(read_demos(tmp_path / "demos.npz")) == 1
    assert fill(replay(1), demos([0], 1), 1) == 1


def test_objects_are_never_written_and_columns_never_exchanged(tmp_path):
    """NumPy would write objects as pickles."""
    whole = demos([2, 6], 7)
    with pytest.raises(ValueError, match="allow_pickle"):
        write_demos(tmp_path / "demos.npz", Demos(**{**vars(whole), "actions": np.array([object()] * 7)}))
    assert not (tmp_path / "demos.npz").exists()
    with pytest.raises(FrozenInstanceError):
        whole.actions = whole.rewards


def test_a_share_that_ends_within_an_episode_goes_on_at_the_next_observation():
    """Two shares of an episode of ten steps: after step 4 comes observation 5, though its step is in another ring."""
    held = replay(2)
    assert fill(held, demos([9], 10), 2) == 10
    batch = held.at(np.array([0, 0, 1]), np.array([3, 4, 4]), 1)
    assert batch.s_tm1.flatten().tolist() == [3, 4, 9]
    assert batch.s_t.flatten().tolist() == [4, 5, 109]
    assert batch.discount_t.flatten().tolist() == [1, 1, 1]
