"""The memory chain by hand."""

import itertools

import numpy as np
import pytest

from sandbox.envs._gymnasium import config_of
from sandbox.envs.memory_chain import MemoryChainConfig


def start(context: list[list[int]], query: list[int], **options: object):
    env = MemoryChainConfig(num_bits=len(context[0]), **{"observe": "features", **options}).make(len(context))
    env.reset(seed=0)
    env.set_state_arrays(context=context, query=query)
    return env


def test_a_whole_episode_by_hand() -> None:
    """The context is 1 0 1, and the query is its last bit."""
    env = start([[1, 0, 1]], [2], length=4)
    assert env.observe().tolist() == [[1, 0, 1, -1, 1]]
    steps = [env.step(np.array([action])) for action in (0, 0, 0, 1)]
    assert [observation.tolist() for observation, *_ in steps] == [
        [[0.75, 0, 0, 0, 0]],
        [[0.5, 0, 0, 0, 0]],
        [[0.25, 2, 0, 0, 0]],
        [[0, 0, 0, 0, 0]],
    ]
    assert [float(rewards[0]) for _, rewards, *_ in steps] == [0, 0, 0, 1]
    assert [bool(terminated[0]) for _, _, terminated, *_ in steps] == [False, False, False, True]
    assert not any(truncated.any() for _, _, _, truncated, _ in steps)


def test_only_the_last_action_counts_and_must_be_the_bit_asked_for() -> None:
    contexts = [[0, 1], [0, 1], [1, 0], [1, 0]]
    for early, late in itertools.product((0, 1), repeat=2):
        env = start(contexts, [0, 1, 0, 1], length=2)
        env.step(np.full(4, early))
        rewards = env.step(np.full(4, late))[1]
        assert rewards.tolist() == ([-1, 1, 1, -1] if late else [1, -1, -1, 1])


def test_an_agent_that_remembers_always_gets_the_best_return() -> None:
    env = MemoryChainConfig(observe="features", length=30, num_bits=5).make(64)
    remembered = env.reset(seed=4)[0][:, 2:]
    returns = np.zeros(64)
    for _ in range(29):
        observations, rewards, *_ = env.step(np.zeros(64, np.int64))
        returns += rewards
    asked = observations[:, 1].astype(np.int64)
    assert set(asked) == {0, 1, 2, 3, 4}
    _, rewards, terminated, _, _ = env.step((remembered[np.arange(64), asked] > 0).astype(np.int64))
    assert terminated.all()
    assert (returns + rewards).tolist() == [1.0] * 64


def test_without_memory_every_policy_gets_zero_on_average() -> None:
    """The observation before the last action does not depend on the context: an answer depends on the query alone."""
    contexts = np.array(list(itertools.product((0, 1), repeat=2)) * 2)
    queries = [0] * 4 + [1] * 4
    for answers in itertools.product((0, 1), repeat=2):
        env = start(contexts.tolist(), queries, length=2)
        seen = env.step(np.zeros(8, np.int64))[0]
        assert len(np.unique(seen[:4], axis=0)) == len(np.unique(seen[4:], axis=0)) == 1
        assert env.step(np.array(answers)[seen[:, 1].astype(np.int64)])[1].mean() == 0


def test_with_length_one_context_and_query_are_seen_together() -> None:
    env = start([[0, 1]], [1], length=1)
    assert env.observe().tolist() == [[1, 1, -1, 1]]
    _, rewards, terminated, _, _ = env.step(np.array([1]))
    assert (rewards[0], terminated[0]) == (1, True)


def test_bits_and_queries_are_even() -> None:
    env = MemoryChainConfig(observe="features", num_bits=4).make(4096)
    env.reset(seed=1)
    state = env.state_dict()
    assert np.abs(state["context"].mean(0) - 0.5).max() < 0.04  # five standard errors
    assert np.abs(np.bincount(state["query"], minlength=4) / 4096 - 0.25).max() < 0.03


def test_pixels_show_bits_then_time_then_the_query() -> None:
    """Two bits: 2 x 2 fields of 38 pixels from (4, 4); the bar of the time is 84 pixels wide at first."""
    env = start([[1, 0]], [1], length=3, observe="pixels")
    frames = [env.observe(), *(env.step(np.array([0]))[0] for _ in range(3))]
    middles = [frame[0, 0][[[20], [60]], [20, 60]].tolist() for frame in frames]
    assert middles == [[[255, 130], [40, 40]], [[40, 40], [40, 40]], [[40, 40], [40, 255]], [[40, 40], [40, 40]]]
    assert [(frame[0, 0, 82] == 200).sum() for frame in frames] == [84, 56, 28, 0]


def test_sixty_four_bits_can_be_read_from_the_pixels() -> None:
    contexts = [np.random.default_rng(seed).integers(2, size=64).tolist() for seed in (0, 1)]
    env = start(contexts, [0, 63], length=2, observe="pixels")
    first, last = env.observe(), env.step(np.zeros(2, np.int64))[0]
    row, column = np.divmod(np.arange(64), 12)  # fields of 6 pixels from (6, 6)
    assert (first[:, 0, 9 + 6 * row, 9 + 6 * column] == np.where(contexts, 255, 130)).all()
    assert (last[0] != last[1]).sum() == 2 * 6 * 6  # two fields of the query differ, nothing else does


def test_options_out_of_range_are_named() -> None:
    for options, message in (
        ({"length": 0}, "memory_chain: length: needs a value >= 1"),
        ({"length": 1001}, "memory_chain: length: needs a value <= 1_000"),
        ({"num_bits": 0}, "memory_chain: num_bits: needs a value >= 1"),
        ({"num_bits": 65}, "memory_chain: num_bits: needs a value <= 64"),
        ({"memory_length": 3}, "memory_chain: memory_length: unknown option"),
    ):
        with pytest.raises(ValueError, match=message):
            config_of("memory_chain", options)


def test_the_frame_shows_the_context_at_first_only() -> None:
    env = start([[1]], [0], length=3)
    blue = [int((env.render_frame(0) == (92, 170, 255)).all(2).sum())]
    env.step(np.array([0]))
    blue.append(int((env.render_frame(0) == (92, 170, 255)).all(2).sum()))
    assert blue[0] > 20_000
    assert blue[1] == 20 * 20  # the hint for people
