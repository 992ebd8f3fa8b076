"""Cart-Pole against Gymnasium's, and by hand."""

import numpy as np
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

from sandbox.envs._gymnasium import config_of
from sandbox.envs.cart_pole import PIVOT, CartPoleConfig


def start(**state: float):
    env = CartPoleConfig(observe="features").bare(1)
    env.reset(seed=0)
    env.set_state_arrays(**state)
    return env


def balance(features: np.ndarray) -> np.ndarray:
    """Push towards the side to which the pole falls, and a little against the motion of the cart."""
    return (features @ [0.1, 0.3, 3.0, 1.0] > 0).astype(np.int64)


@pytest.mark.parametrize("skill", [0.0, 0.8, 1.0])
def test_whole_episodes_are_those_of_gymnasium(skill: float) -> None:
    """The same states and actions give observations equal in float32, and episodes of equal length."""
    ours, random, lengths = CartPoleConfig(observe="features").bare(20), np.random.default_rng(0), []
    seen, _ = ours.reset(seed=0)
    states = np.stack([ours.state_dict()[name] for name in ("x", "x_dot", "theta", "theta_dot")], 1)
    theirs = [CartPoleEnv() for _ in range(20)]
    for env, state in zip(theirs, states, strict=True):
        env.reset()
        env.state = state
    while len(lengths) < 20:
        actions = np.where(random.random(20) < skill, balance(seen), random.integers(2, size=20))
        seen, rewards, terminated, truncated, _ = ours.step(actions)
        for i, env in enumerate(theirs):
            if env is None:
                continue
            expected, reward, over, _, _ = env.step(actions[i])
            np.testing.assert_allclose(seen[i], expected, rtol=1e-6, atol=1e-9)
            assert (rewards[i], terminated[i]) == (reward, over)
            if terminated[i] or truncated[i]:
                theirs[i] = None
                lengths.append(int(ours.state_dict()["steps"][i]))
        if (ended := terminated | truncated).any():
            seen, _ = ours.reset(options={"reset_mask": ended})
    if skill == 0.0:
        assert np.mean(lengths) < 40
    elif skill == 1.0:
        assert lengths == [500] * 20
    else:
        assert max(lengths) > 80


def test_one_step_by_hand() -> None:
    """The cart is pushed with 10 N; the pole is upright and at rest.

    The accelerations are -10 / 1.1 / (0.5 * (4/3 - 0.1/1.1)) of the angle and (10 + 0.05 * 14.634) / 1.1 of the cart.
    """
    features = start(x=0.5, x_dot=2.0, theta=0.0, theta_dot=0.0).step(np.array([1]))[0][0]
    assert np.allclose(features, [0.54, 2.0 + 0.02 * 9.7561, 0.0, -0.02 * 14.6341], atol=1e-5)


def test_a_linear_controller_reaches_the_best_return_from_100_seeds() -> None:
    env = CartPoleConfig(observe="features").bare(100)
    features, _ = env.reset(seed=0)
    returns = np.zeros(100)
    for step in range(500):
        features, rewards, terminated, truncated, _ = env.step(balance(features))
        returns += rewards
        assert not terminated.any()
        assert truncated.all() == truncated.any() == (step == 499)
    assert (returns == 500).all()


@pytest.mark.parametrize("side", [-1, 1])
def test_it_ends_beyond_its_limits_and_not_before(side: int) -> None:
    for name, limit in (("x", 2.4), ("theta", np.radians(12))):
        assert not start(x_dot=0, theta_dot=0, **{name: side * (limit - 1e-9)}).step(np.array([0]))[2][0]
        observation, rewards, terminated, _, _ = (
            env := start(x_dot=0, theta_dot=0, **{name: side * (limit + 1e-9)})
        ).step(np.array([0]))
        assert terminated[0]
        assert rewards[0] == 1
        assert env.single_observation_space.contains(observation[0])


def test_max_steps_truncate_and_a_fall_in_the_last_step_terminates() -> None:
    for falls in (False, True):
        env = CartPoleConfig(max_steps=3).bare(1)
        env.reset(seed=0)
        for _ in range(2):
            assert not env.step(np.array([0]))[3][0]
        if falls:
            env.set_state_arrays(x=3.0)
        _, _, terminated, truncated, _ = env.step(np.array([1]))
        assert (terminated[0], truncated[0]) == (falls, not falls)


def test_it_begins_near_rest_everywhere_alike() -> None:
    env = CartPoleConfig(observe="features").bare(2_000)
    features, _ = env.reset(seed=0)
    assert np.abs(features).max() <= 0.05
    assert np.allclose(features.std(0), 0.1 / np.sqrt(12), rtol=0.05)
    assert np.abs(np.corrcoef(features.T) - np.eye(4)).max() < 0.1


def test_every_episode_counts_its_own_steps() -> None:
    env = CartPoleConfig(max_steps=2).bare(2)
    env.reset(seed=0)
    for _ in range(3):
        assert not env.step(np.array([0, 1]))[3].any()
        assert env.step(np.array([1, 0]))[3].all()
        env.reset(options={"reset_mask": np.array([True, True])})


def test_hidden_velocities() -> None:
    whole, part = (CartPoleConfig(observe="features", velocities=shown).bare(3) for shown in (True, False))
    assert part.single_observation_space.shape == (2,)
    assert np.array_equal(part.reset(seed=1)[0], whole.reset(seed=1)[0][:, [0, 2]])
    action = np.array([0, 1, 1])
    assert np.array_equal(part.step(action)[0], whole.step(action)[0][:, [0, 2]])


def test_the_image_shows_place_and_angle() -> None:
    env = CartPoleConfig().bare(3)
    env.reset(seed=0)
    env.set_state_arrays(x=[0.0, 1.0, 1.0], theta=[0.0, 0.0, -0.2])
    frames = env.observe()[:, 0].astype(float)
    columns = np.arange(84) + 0.5
    cart, foot, tip = (frames[:, row] @ columns / frames[:, row].sum(1) for row in (PIVOT, PIVOT - 1, PIVOT - 40))
    assert np.allclose(cart, [42, 54, 54])
    assert np.allclose(foot, [42, 54, 54 - np.tan(0.2)], atol=0.02)
    assert np.allclose(tip, [42, 54, 54 - 40 * np.tan(0.2)], atol=0.02)
    assert (frames[:, PIVOT - 41] == 0).all()


def test_a_hundredth_of_a_pixel_can_be_seen() -> None:
    env = CartPoleConfig().bare(2)
    env.reset(seed=0)
    env.set_state_arrays(x=[0.0, 0.001], theta=0.0)
    assert not np.array_equal(*env.observe())


@pytest.mark.parametrize("options", [{"max_steps": 0}, {"velocities": 2}, {"observe": "sound"}, {"velocity": True}])
def test_wrong_options_are_named(options: dict) -> None:
    with pytest.raises(ValueError, match=rf"cart_pole: {next(iter(options))}: "):
        config_of("cart_pole", options)
