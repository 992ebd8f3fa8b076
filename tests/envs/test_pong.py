"""Pong by hand."""

import numpy as np

from envs.pong import LEFT, POINTS, RIGHT, PongConfig


def start(players: int = 1, **state: float):
    env = PongConfig(players=players).make(1)
    env.reset(seed=0)
    for name, value in state.items():
        env._program.arrays()[name][...] = value
    return env


def test_the_ball_leaves_the_paddle_faster_and_by_where_it_was_hit() -> None:
    env = start(x=RIGHT - 1, y=45.0, vx=3.0, vy=0.0, paddles=42.0)
    env.step(np.array([0]))
    arrays = env.state_dict()
    assert np.isclose(arrays["vx"][0], -3.15)
    assert np.isclose(arrays["vy"][0], 3 / 7 * 3)  # 3 pixels below the middle, of 7 that reach
    assert np.isclose(arrays["x"][0], RIGHT - 2)


def test_a_hit_counts_where_the_ball_crosses_the_edge() -> None:
    """The paddle covers y = 40 to 54 (with the ball's size); only the ball's place at the edge decides."""
    env = start(x=RIGHT - 0.1, y=53.9, vx=3.0, vy=3.0, paddles=47.0)  # crosses at 54.0, ends at 56.9
    assert env.step(np.array([0]))[0] is not None
    assert env.state_dict()["vx"][0] < 0
    env = start(x=RIGHT - 2.9, y=57.0, vx=3.0, vy=-3.0, paddles=47.0)  # crosses at 54.1, ends at 54.0
    env.step(np.array([0]))
    assert env.state_dict()["vx"][0] == 3.0


def test_walls_reflect() -> None:
    env = start(x=40.0, y=7.0, vx=3.0, vy=-2.0)
    env.step(np.array([0]))
    assert np.isclose(env.state_dict()["y"][0], 7.0)
    assert np.isclose(env.state_dict()["vy"][0], 2.0)


def test_points_and_the_serve() -> None:
    env = start(x=82.0, y=20.0, vx=3.0, vy=0.0)
    _, rewards, terminated, truncated, _ = env.step(np.array([0]))
    assert (rewards[0], terminated[0], truncated[0]) == (-1, False, False)
    assert env.state_dict()["scores"].tolist() == [[0, 1]]
    assert env.state_dict()["x"][0] == (LEFT + RIGHT) / 2
    env = start(x=2.0, y=20.0, vx=-3.0, vy=0.0)
    assert env.step(np.array([0]))[1][0] == 1


def test_twenty_one_points_end_it_and_max_steps_truncate_it() -> None:
    env = start(x=2.0, y=20.0, vx=-3.0, vy=0.0)
    env._program.arrays()["scores"][0] = [POINTS - 1, 3]
    _, rewards, terminated, truncated, _ = env.step(np.array([0]))
    assert (rewards[0], terminated[0], truncated[0]) == (1, True, False)
    env = PongConfig(max_steps=5).make(1)
    env.reset(seed=0)
    assert [bool(env.step(np.array([0]))[3][0]) for _ in range(5)] == [False] * 4 + [True]


def test_paddles_move_and_stop_at_the_walls() -> None:
    env = start(players=2)
    for _ in range(3):
        env.step(np.array([[1, 2]]))
    assert env.state_dict()["paddles"].tolist() == [[33.0, 51.0]]
    for _ in range(20):
        observations = env.step(np.array([[1, 2]]))[0]
    right = np.flatnonzero(observations[0, 0, :, int(RIGHT)] == 255)
    left = np.flatnonzero(observations[0, 0, :, int(LEFT) - 2] == 255)
    assert (right.min(), right.max(), left.min(), left.max()) == (6, 17, 66, 77)


def test_the_script_follows_at_its_own_speed() -> None:
    env = start(x=60.0, y=70.0, vx=-3.0, vy=0.0, paddles=42.0)
    env.step(np.array([0]))
    assert np.isclose(env.state_dict()["paddles"][0, 1], 43.2)
