"""Deep sea by hand."""

import numpy as np
import pytest

from sandbox.envs._gymnasium import config_of
from sandbox.envs.deep_sea import DeepSeaConfig, right_actions


def start(num_envs: int = 1, **options: object):
    env = DeepSeaConfig(**{"observe": "features", **options}).make(num_envs)
    env.reset(seed=0)
    return env


def dive(env, policy: np.ndarray) -> np.ndarray:
    """Return the returns [N] of one episode with the actions policy[row, column]."""
    size, returns = len(policy), np.zeros(env.num_envs)
    for step in range(size):
        row, column = np.divmod(env.state_dict()["cell"], size)
        _, rewards, terminated, truncated, _ = env.step(policy[row, column])
        returns += rewards
        assert terminated.all() == (step == size - 1)
        assert not truncated.any()
    return returns


def test_right_costs_left_is_free_and_the_sides_hold() -> None:
    env = start(size=4, randomize_actions=False, move_cost=0.4)
    steps = [env.step(np.array([action])) for action in (0, 1, 0, 1)]
    assert np.allclose([rewards[0] for _, rewards, *_ in steps], [0, -0.1, 0, -0.1])
    assert [terminated[0] for _, _, terminated, *_ in steps] == [False, False, False, True]
    cells = [(observation[0, :4].tolist(), observation[0, 4:].tolist()) for observation, *_ in steps]
    assert cells == [
        ([0, 1, 0, 0], [1, 0, 0, 0]),
        ([0, 0, 1, 0], [0, 1, 0, 0]),
        ([0, 0, 0, 1], [1, 0, 0, 0]),
        ([0, 0, 0, 0], [0, 0, 0, 0]),  # below the sea
    ]


def test_the_treasure_needs_right_in_the_last_column() -> None:
    for last, reward in ((1, 1 - 0.01 / 3), (0, 0.0)):
        env = start(size=3, randomize_actions=False)
        env.step(np.array([1]))
        env.step(np.array([1]))
        _, rewards, terminated, _, _ = env.step(np.array([last]))
        assert np.isclose(rewards[0], reward)
        assert terminated[0]


@pytest.mark.parametrize("size", [2, 10, 50])
def test_always_right_gets_the_best_return_in_every_copy(size: int) -> None:
    config = DeepSeaConfig(size=size)
    assert np.allclose(dive(start(3, size=size), right_actions(config)), 0.99)


def test_no_other_way_gets_the_best_return() -> None:
    """All 16 action sequences of size 4, with randomized actions."""
    env = start(16, size=4)
    sequences = (np.arange(16)[:, None] >> np.arange(4)) & 1
    returns = sum(env.step(actions)[1] for actions in sequences.T)
    assert np.isclose(np.sort(returns)[-1], 0.99)
    assert (np.sort(returns)[:-1] <= 0).all()


def test_the_mapping_is_the_one_that_bsuite_draws() -> None:
    """`RandomState(42).binomial(1, 0.5, [10, 10])`, its first two rows, as bsuite's sweep has them."""
    drawn = right_actions(DeepSeaConfig())
    assert drawn.shape == (10, 10)
    assert drawn[:2].tolist() == [[0, 1, 1, 1, 0, 0, 0, 1, 1, 1], [0, 1, 1, 0, 0, 0, 0, 1, 0, 0]]
    assert not np.array_equal(drawn, right_actions(DeepSeaConfig(mapping_seed=43)))
    assert (right_actions(DeepSeaConfig(randomize_actions=False)) == 1).all()


def test_the_action_that_is_right_is_looked_up_in_the_agents_own_cell() -> None:
    mapping = right_actions(DeepSeaConfig(size=5))
    for action in (0, 1):
        for cell in range(20):
            env = start(size=5)
            env.set_state_arrays(cell=cell)
            env.step(np.array([action]))
            row, column = divmod(cell, 5)
            moved = min(column + 1, 4) if action == mapping[row, column] else max(column - 1, 0)
            assert env.state_dict()["cell"][0] == (row + 1) * 5 + moved


def test_not_deterministic_right_fails_once_in_size_moves_and_left_never() -> None:
    env = start(40_000, size=5, randomize_actions=False, deterministic=False)
    rewards = env.step(np.ones(40_000, np.int64))[1]
    assert np.allclose(rewards, -0.01 / 5)  # the cost is paid in any case
    columns = env.state_dict()["cell"] - 5
    assert set(columns) == {0, 1}
    assert abs((columns == 0).mean() - 0.2) < 0.01  # five standard errors
    env.step(np.zeros(40_000, np.int64))
    assert (env.state_dict()["cell"] == 10).all()


def test_not_deterministic_the_ends_of_the_last_row_are_noisy() -> None:
    env = start(30_000, size=3, randomize_actions=False, deterministic=False)
    env.set_state_arrays(cell=np.repeat([6, 7, 8], 10_000))
    rewards = env.step(np.ones(30_000, np.int64))[1].reshape(3, 10_000) + 0.01 / 3
    assert np.allclose(rewards[1], 0)
    assert np.allclose(rewards[[0, 2]].mean(1), [0, 1], atol=0.05)
    assert np.allclose(rewards[[0, 2]].std(1), 1, atol=0.04)
    assert np.allclose((np.abs(rewards[0]) < 1).mean(), 0.6827, atol=0.02)
    env = start(100, size=3, randomize_actions=False, deterministic=False)
    env.set_state_arrays(cell=5)  # the last column, but not the last row
    assert np.allclose(env.step(np.zeros(100, np.int64))[1], 0)


def test_not_deterministic_the_best_return_is_what_the_docstring_says() -> None:
    """By dynamic programming over (row, column), size 10, without the noise, whose mean is 0."""
    size, columns, values = 10, np.arange(10), np.zeros(10)
    for _ in range(size):  # from the last row up
        right = (columns == 9) - 0.01 / size + 0.9 * values[(columns + 1).clip(0, 9)] + 0.1 * values
        values = np.maximum(right, values[(columns - 1).clip(0, 9)])
    p = 1 - 1 / size
    assert np.isclose(values[0], p**9 - 0.01 * (1 - p**10))
    assert np.isclose(values[0], 0.381, atol=5e-4)


def test_pixels_show_the_diver_in_its_cell() -> None:
    """Size 4: cells of 20 pixels from (2, 2)."""
    env = start(size=4, randomize_actions=False, observe="pixels")
    env.step(np.array([1]))
    frame = env.step(np.array([1]))[0][0, 0]
    ys, xs = np.nonzero(frame == 255)
    assert (ys.min(), ys.max(), xs.min(), xs.max(), len(ys)) == (42, 61, 42, 61, 400)
    assert frame[1, 1] == frame[82, 82] == 64
    env.step(np.array([1]))
    assert (env.step(np.array([1]))[0] < 255).all()


def test_options_out_of_range_are_named() -> None:
    for options, message in (
        ({"size": 1}, "deep_sea: size: needs a value >= 2"),
        ({"size": 81}, "deep_sea: size: needs a value <= 80"),
        ({"mapping_seed": -1}, "deep_sea: mapping_seed: needs a value >= 0"),
        ({"move_cost": -0.1}, "deep_sea: move_cost: needs a value >= 0"),
        ({"determinstic": True}, "deep_sea: determinstic: unknown option"),
    ):
        with pytest.raises(ValueError, match=message):
            config_of("deep_sea", options)


def test_a_frame_can_be_rendered_below_the_sea_as_well() -> None:
    env = start(size=2, randomize_actions=False)
    frames = [env.render_frame(0)]
    for _ in range(2):
        env.step(np.array([1]))
        frames.append(env.render_frame(0))
    blue = [int((frame == (92, 170, 255)).all(2).sum()) for frame in frames]
    assert blue[0] == blue[1] == 160 * 160 - 40 * 40
    assert blue[2] == 0
