import numpy as np
import pytest
from gymnasium import spaces

from sandbox.core.errors import UserError
from sandbox.environments.wrappers.noise import NoiseConfig

GRAY = spaces.Box(0, 255, (1, 84, 84), np.uint8)


def test_bytes_have_noise_in_shares_of_their_range(tape) -> None:
    """0.05 is 12.75 gray values: rounding adds 1/12 to the variance. Every copy shows one gray value, 91 and more."""
    env = NoiseConfig(std=0.05).wrap(tape(20, space=GRAY))
    tape_shows = 10 * np.arange(20) + 1
    noise = env.reset(seed=0)[0].astype(float) - tape_shows.reshape(-1, 1, 1, 1)
    noise = noise[9:20].ravel()  # far from both ends: nothing is clipped
    count = noise.size
    assert abs(noise.mean()) < 4 * 12.75 / count**0.5
    assert abs(noise.var() - (12.75**2 + 1 / 12)) < 4 * 12.75**2 * (2 / count) ** 0.5
    within = [(abs(noise) < k * 12.75).mean() for k in (1, 2, 3)]
    assert np.allclose(within, [0.6827, 0.9545, 0.9973], atol=0.02)


def test_bytes_are_rounded_and_clipped(tape) -> None:
    env = NoiseConfig(std=10).wrap(tape(1, space=GRAY))
    shown = env.reset(seed=0)[0]
    assert shown.dtype == np.uint8
    assert abs((shown == 0).mean() - 0.5) < 0.03
    assert abs((shown == 255).mean() - 0.46) < 0.03  # 1 + 2550 z > 254.5: z > 0.0994


def test_floats_have_noise_in_their_own_unit_and_are_not_clipped(tape) -> None:
    env = NoiseConfig(std=0.5).wrap(tape(1, space=spaces.Box(0, 1, (60_000,), np.float32)))
    noise = env.reset(seed=0)[0][0] - 1
    assert noise.dtype == np.float32
    assert abs(noise.mean()) < 4 * 0.5 / 60_000**0.5
    assert abs(noise.std() - 0.5) < 4 * 0.5 / 120_000**0.5
    assert noise.max() > 1
    assert np.isinf(env.single_observation_space.high).all()
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 4 / 60_000**0.5
    assert len(np.unique(noise)) > 35_000  # of 65,536 quantiles


def test_every_step_and_copy_has_noise_of_its_own(tape) -> None:
    env = NoiseConfig(std=1).wrap(tape(2, space=spaces.Box(0, 100, (1_000,), np.float32)))
    first = env.reset(seed=0)[0] - np.array([[1], [11]])
    second = env.step(np.array([0, 0]))[0] - np.array([[2], [12]])
    for a, b in ((first[0], first[1]), (first[0], second[0]), (first[1], second[0])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / 1_000**0.5


def test_without_noise_nothing_changes(tape) -> None:
    for space in (GRAY, spaces.Box(0, 100, (5,), np.float32)):
        env = NoiseConfig(std=0).wrap(tape(3, space=space))
        assert np.array_equal(env.reset(seed=0)[0], tape(3, space=space).observe())


def test_whole_numbers_are_refused(tape) -> None:
    with pytest.raises(UserError, match="needs observations of bytes or floats, but this environment has Box"):
        NoiseConfig().wrap(tape(1, space=spaces.Box(0, 9, (2,), np.int64)))
