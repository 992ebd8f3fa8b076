import numpy as np
import pytest
from gymnasium import spaces

from sandbox.core.errors import UserError
from sandbox.environments.wrappers.frame_stack import FrameStackConfig


def test_newest_last_and_zeros_before_a_start(tape) -> None:
    """The game of copy 0 ends at step 2, and copy 1 is reset at the same moment: neither stack contains the past."""
    env = FrameStackConfig(count=3).wrap(tape(2, {2: "terminated"}))
    tapes = [env.reset(seed=0)[0]]
    tapes += [env.step(np.array([0, 0]))[0] for _ in range(2)]
    tapes += [env.reset(options={"reset_mask": np.array([True, True])})[0], env.step(np.array([0, 0]))[0]]
    assert [each[0].tolist() for each in tapes] == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [0, 0, 1], [0, 1, 2]]
    assert [each[1].tolist() for each in tapes] == [[0, 0, 11], [0, 11, 12], [11, 12, 13], [0, 0, 11], [0, 11, 12]]


def test_a_masked_reset_pushes_nothing_into_the_other_stacks(tape) -> None:
    env = FrameStackConfig(count=3).wrap(tape(2))
    env.reset(seed=0)
    env.step(np.array([0, 0]))
    shown = env.reset(options={"reset_mask": np.array([True, False])})[0]
    assert shown.tolist() == [[0, 0, 1], [0, 11, 12]]
    assert env.step(np.array([0, 0]))[0].tolist() == [[0, 1, 2], [11, 12, 13]]


def test_no_stack_reaches_past_a_lost_life(tape) -> None:
    env = FrameStackConfig(count=2).wrap(tape(1, {1: "life"}))
    env.reset(seed=0)
    assert env.step(np.array([0]))[0].tolist() == [[1, 2]]
    assert env.reset(options={"reset_mask": np.array([True])})[0].tolist() == [[0, 2]]  # the same game goes on


def test_images_are_joined_along_their_channels(tape) -> None:
    space = spaces.Box(0, 255, (3, 4, 5), np.uint8)
    env = FrameStackConfig(count=2).wrap(tape(1, space=space))
    env.reset(seed=0)
    stack = env.step(np.array([0]))[0]
    assert stack.shape == (1, 6, 4, 5)
    assert env.single_observation_space.shape == (6, 4, 5)
    assert stack[0, :, 0, 0].tolist() == [1, 1, 1, 2, 2, 2]
    assert stack.dtype == np.uint8


def test_a_stack_of_one_is_the_observation(tape) -> None:
    env, bare = FrameStackConfig(count=1).wrap(tape(2)), tape(2)
    assert np.array_equal(env.reset(seed=0)[0], bare.reset(seed=0)[0])
    assert np.array_equal(env.step(np.array([0, 0]))[0], bare.step(np.array([0, 0]))[0])


def test_the_declared_space_has_room_for_the_zeros(tape) -> None:
    env = FrameStackConfig(count=2).wrap(tape(1, space=spaces.Box(1, 9, (1,), np.float32)))
    assert env.single_observation_space.low.tolist() == [0, 0]
    assert env.single_observation_space.contains(env.reset(seed=0)[0][0])


def test_single_numbers_are_refused(tape) -> None:
    with pytest.raises(UserError, match="needs observations with an axis to stack along"):
        FrameStackConfig().wrap(tape(1, space=spaces.Box(0, 9, (), np.float32)))
    scalars = tape(1)
    scalars.single_observation_space = spaces.Discrete(3)
    with pytest.raises(UserError, match=r"needs observations in a Box, but this environment has Discrete\(3\)"):
        FrameStackConfig().wrap(scalars)
