import numpy as np
import pytest
from gymnasium import spaces

from sandbox.core.errors import UserError
from sandbox.environments.wrappers.scale import ScaleConfig


def test_every_number_has_its_own_unit(tape) -> None:
    """Copy i observes 10 i + t + 1 at step t, twice; the bounds are scaled with what they bound."""
    env = ScaleConfig(by=(1.0, 20.0)).wrap(tape(2, space=spaces.Box(0, 50, (2,), np.float32)))
    assert env.reset(seed=0)[0].tolist() == [[1, 20], [11, 220]]
    assert env.step(np.zeros(2, np.int64))[0].tolist() == [[2, 40], [12, 240]]
    assert env.single_observation_space == spaces.Box(np.float32([0, 0]), np.float32([50, 1000]))


def test_one_number_scales_all(tape) -> None:
    env = ScaleConfig(by=0.5).wrap(tape(1, space=spaces.Box(0, 50, (3,), np.float32)))
    assert env.reset(seed=0)[0].tolist() == [[0.5, 0.5, 0.5]]


def test_bytes_become_floats(tape) -> None:
    """Codes of a few values are nearly black if they are divided by 255."""
    env = ScaleConfig(by=0.1).wrap(tape(1, space=spaces.Box(0, 255, (1, 2, 2), np.uint8)))
    space = env.single_observation_space
    assert (space.dtype, float(space.high.max())) == (np.float32, 25.5)
    first, second = env.reset(seed=0)[0], env.step(np.zeros(1, np.int64))[0]
    assert first.dtype == second.dtype == np.float32
    assert (first == np.float32(0.1)).all()
    assert (second == np.float32(0.2)).all()


def test_what_does_not_fit_is_refused(tape) -> None:
    with pytest.raises(
        UserError,
        match=r"^by has 3 numbers, but the observation's last axis has 2; give a single number, or as many as",
    ):
        ScaleConfig(by=(1.0, 1.0, 2.0)).wrap(tape(1, space=spaces.Box(0, 1, (2,), np.float32)))
