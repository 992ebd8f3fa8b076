"""The T-maze by hand."""

import itertools

import numpy as np
import pytest

from sandbox.envs._gymnasium import config_of
from sandbox.envs.t_maze import DOWN, LEFT, RIGHT, UP, TMazeConfig


def start(num_envs: int = 2, **options: object):
    """Start environments whose goals are up and down in turn."""
    env = TMazeConfig(**options).make(num_envs)
    env.reset(seed=0)
    env.set_state_arrays(goal=np.resize([UP, DOWN], num_envs))
    return env


def act(env, *actions: int):
    """Take the same actions in every copy; return the last step's observations, rewards, terminated, truncated."""
    for action in actions:
        results = env.step(np.full(env.num_envs, action))
    return results[:4]


def test_the_right_turn_brings_one_and_the_other_minus_one() -> None:
    for turn, rewards in ((UP, [1, -1]), (DOWN, [-1, 1])):
        env = start(length=3)
        _, before, terminated, _ = act(env, RIGHT, RIGHT, RIGHT)
        assert (before.tolist(), terminated.tolist()) == ([0, 0], [False, False])
        _, after, terminated, truncated = act(env, turn)
        assert (after.tolist(), terminated.tolist(), truncated.tolist()) == (rewards, [True, True], [False, False])
        assert after.dtype == np.float32


def test_an_agent_that_remembers_the_sign_always_gets_the_best_return() -> None:
    env = TMazeConfig(observe="features", length=50).make(64)
    signs = env.reset(seed=3)[0][:, 1]
    assert set(signs) == {1.0, -1.0}
    returns = np.zeros(64)
    for _ in range(50):
        returns += env.step(np.full(64, RIGHT))[1]
    _, rewards, terminated, _, _ = env.step(np.where(signs == 1, UP, DOWN))
    assert terminated.all()
    assert (returns + rewards).tolist() == [1.0] * 64


@pytest.mark.parametrize(("rewards", "best"), [((1.0, -1.0, 0.0), 0.0), ((4.0, -0.1, -0.1), 1.95)])
def test_no_memoryless_policy_gets_more_than_the_mean_of_both_turns(rewards: tuple[float, ...], best: float) -> None:
    """Evaluate all 4^5 policies from the five observations to actions, each with both goals."""
    options = dict(zip(("reward_goal", "reward_wrong", "reward_still"), rewards, strict=True))
    looks = np.array([[1, 1, 0], [1, -1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1]])
    policies = np.repeat(list(itertools.product(range(4), repeat=5)), 2, 0)
    env = start(len(policies), length=2, observe="features", max_steps=6, **options)
    observations = env.observe()
    assert np.unique(observations[:, 1]).tolist() == [-1, 1]
    returns, going = np.zeros(len(policies)), np.ones(len(policies), bool)
    for _ in range(6):
        seen = (observations[:, None] == looks).all(2)
        assert (seen.sum(1) == 1).all()
        observations, got, ended, _, _ = env.step(policies[np.arange(len(policies)), seen.argmax(1)])
        returns[going] += got[going]
        going &= ~ended
        if ended.any():
            observations = env.reset(options={"reset_mask": ended})[0]
    assert not going.any()
    assert np.isclose(returns.reshape(-1, 2).mean(1).max(), best)


def test_walls_hold_and_the_way_back_is_open() -> None:
    env = start(length=2, reward_still=-0.25)
    for action in (UP, DOWN, LEFT):
        assert act(env, action)[1].tolist() == [-0.25, -0.25]
        assert env.state_dict()["position"].tolist() == [0, 0]
    assert act(env, RIGHT)[1].tolist() == [0, 0]
    assert act(env, LEFT)[1].tolist() == [0, 0]
    assert env.state_dict()["position"].tolist() == [0, 0]
    for action in (UP, DOWN):  # in the last cell of the corridor
        _, rewards, terminated, _ = act(env, RIGHT, action)
        assert (rewards.tolist(), terminated.tolist()) == ([-0.25, -0.25], [False, False])
        act(env, LEFT)
    _, rewards, terminated, _ = act(env, RIGHT, RIGHT, RIGHT)
    assert (rewards.tolist(), terminated.tolist()) == ([-0.25, -0.25], [False, False])
    assert env.state_dict()["position"].tolist() == [2, 2]
    assert act(env, LEFT)[1].tolist() == [0, 0]


def test_the_sign_is_seen_once_and_corridor_cells_look_alike() -> None:
    env = start(length=3, observe="features")
    seen = [env.observe().tolist()] + [
        act(env, action)[0].tolist() for action in (LEFT, RIGHT, RIGHT, RIGHT, LEFT, LEFT, LEFT)
    ]
    start_, corridor, junction = [1, 0, 0], [0, 0, 0], [0, 0, 1]
    assert seen[0] == [[1, 1, 0], [1, -1, 0]]
    for frame, look in zip(seen[1:], [start_, corridor, corridor, junction, corridor, corridor, start_], strict=True):
        assert frame == [look, look]


def test_pixels_say_what_features_say() -> None:
    pixels, features = start(length=100), start(length=100, observe="features")
    pairs = set()
    frames, vectors = pixels.observe(), features.observe()
    for action in [LEFT] + [RIGHT] * 100:
        pairs |= {(frame.tobytes(), vector.tobytes()) for frame, vector in zip(frames, vectors, strict=True)}
        frames, vectors = act(pixels, action)[0], act(features, action)[0]
    pairs |= {(frame.tobytes(), vector.tobytes()) for frame, vector in zip(frames, vectors, strict=True)}
    assert len(pairs) == len({frame for frame, _ in pairs}) == len({vector for _, vector in pairs}) == 5
    first = start().observe()[:, 0]
    assert (first[0, 8:20, 28:56] == 255).all()
    assert (first[1, 64:76, 28:56] == 255).all()
    assert (first[:, 28:56, :28] == 100).all()  # the wall behind the start
    assert (frames[:, 0, :28, 42] == 0).all()  # the way up at the junction
    assert (frames[:, 0, 42, 56:] == 100).all()  # and its far wall


def test_signs_are_as_often_up_as_down() -> None:
    env = TMazeConfig(observe="features").make(4096)
    env.reset(seed=1)
    assert abs((env.state_dict()["goal"] == UP).mean() - 0.5) < 0.03  # four standard errors


def test_no_choice_in_max_steps_is_a_wrong_one_and_a_choice_in_the_last_step_counts() -> None:
    env = start(length=2, max_steps=4)
    steps = [act(env, LEFT) for _ in range(4)]
    assert [rewards.tolist() for _, rewards, _, _ in steps] == [[0, 0]] * 3 + [[-1, -1]]
    assert [terminated.all() for _, _, terminated, _ in steps] == [False, False, False, True]
    assert not any(truncated.any() for *_, truncated in steps)
    env = start(length=2, max_steps=3)
    _, rewards, terminated, _ = act(env, RIGHT, RIGHT, UP)
    assert (rewards.tolist(), terminated.tolist()) == ([1, -1], [True, True])


def test_options_out_of_range_are_named() -> None:
    for options, message in (
        ({"length": 0}, "t_maze: length: needs a value >= 1"),
        ({"length": 501}, "t_maze: length: needs a value <= 500"),
        ({"length": 9, "max_steps": 9}, "t_maze: max_steps: must be greater than length, which is 9"),
        ({"reward_still": 0.5}, "t_maze: reward_still: needs a value <= 0"),
        ({"reward_goal": 101}, "t_maze: reward_goal: needs a value <= 100"),
        ({"lenght": 5}, "t_maze: lenght: unknown option"),
    ):
        with pytest.raises(ValueError, match=message):
            config_of("t_maze", options)


def test_the_frame_shows_the_agent_at_its_place() -> None:
    env = start(length=2)
    before = env.render_frame(0)
    act(env, RIGHT)
    assert before.shape == (400, 480, 3)
    blue = [np.flatnonzero((frame[100] == (92, 170, 255)).all(1)).mean() for frame in (before, env.render_frame(0))]
    assert blue[1] - blue[0] == 40
