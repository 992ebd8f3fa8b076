"""Pong by hand."""

import numpy as np
import pytest

from sandbox.envs._gymnasium import config_of
from sandbox.envs.pong import FASTEST, LEFT, POINTS, RIGHT, PongConfig


def start(players: int = 1, observe: str = "pixels", **state: float):
    env = PongConfig(players=players, observe=observe).make(1)
    env.reset(seed=0)
    env.set_state_arrays(**state)
    return env


@pytest.mark.parametrize(
    ("draws", "ball"),
    [
        ((0.0, 0.4, 0.0), (42.0, 16.0, 3.0, -2.0)),
        ((0.5, 0.6, 0.5), (42.0, 42.0, -3.0, 0.0)),
        ((1, 0, 1), (42, 68, 3, 2)),
    ],
)
def test_where_the_ball_starts(draws: tuple[float, ...], ball: tuple[float, ...]) -> None:
    """Random height (10 pixels from either wall at least), side and direction, from the middle."""

    class Draws:
        def randoms(self, env_ids: np.ndarray, count: int) -> np.ndarray:
            assert count == 3
            return np.tile(np.asarray(draws, float), (len(env_ids), 1))

    program = PongConfig().program(2)
    program.reset(np.array([True, False]), Draws())
    state = program.state_arrays()
    assert tuple(state[name][0] for name in ("x", "y", "vx", "vy")) == pytest.approx(ball)
    assert state["paddles"].tolist() == [[42.0, 42.0], [0.0, 0.0]]
    assert state["x"][1] == 0


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
    env.step(np.array([0]))
    state = env.state_dict()
    assert np.allclose([state["vx"][0], state["vy"][0]], [-3.15, 3.0])  # hit at the very edge of the paddle
    env = start(x=RIGHT - 2.9, y=57.0, vx=3.0, vy=-3.0, paddles=47.0)  # crosses at 54.1, ends at 54.0
    env.step(np.array([0]))
    state = env.state_dict()
    assert (state["vx"][0], state["vy"][0]) == (3.0, -3.0)


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
    env.set_state_arrays(scores=[POINTS - 1, 3])
    _, rewards, terminated, truncated, _ = env.step(np.array([0]))
    assert (rewards[0], terminated[0], truncated[0]) == (1, True, False)
    env.reset()
    assert env.state_dict()["scores"].tolist() == [[0, 0]]
    env = PongConfig(max_steps=5).make(1)
    for _ in range(2):
        env.reset(seed=0)
        assert [bool(env.step(np.array([0]))[3][0]) for _ in range(5)] == [False] * 4 + [True]


def test_paddles_move_and_stop_at_the_walls() -> None:
    env = start(players=2)
    for _ in range(3):
        env.step(np.array([[1, 2]]))
    assert env.state_dict()["paddles"].tolist() == [[33.0, 51.0]]
    for _ in range(20):
        observations = env.step(np.array([[1, 2]]))[0]
    right = np.flatnonzero(observations[0, 0, 0, :, int(RIGHT)] == 255)
    left = np.flatnonzero(observations[0, 0, 0, :, int(LEFT) - 2] == 255)
    assert (right.min(), right.max(), left.min(), left.max()) == (6, 17, 66, 77)


def test_the_script_follows_at_its_own_speed() -> None:
    env = start(x=60.0, y=70.0, vx=-3.0, vy=0.0, paddles=42.0)
    env.step(np.array([0]))
    assert np.isclose(env.state_dict()["paddles"][0, 1], 43.2)


def test_the_ball_gets_no_faster_than_its_limit_and_no_steeper() -> None:
    env = start(x=RIGHT - 1, y=36.0, vx=4.9, vy=0.0, paddles=43.0)  # the last row that the paddle reaches: 7 above
    env.step(np.array([0]))
    assert env.state_dict()["vx"][0] == -FASTEST
    assert env.state_dict()["vy"][0] == -3.0
    env = start(x=LEFT + 1, y=50.1, vx=-4.9, vy=0.0, paddles=43.0)  # the script moves 1.2 towards it: 5.9 below
    env.step(np.array([0]))
    assert (env.state_dict()["vx"][0], round(env.state_dict()["vy"][0], 9)) == (FASTEST, round(5.9 / 7 * 3, 9))


def test_a_ball_that_stops_just_at_the_edge_is_hit_once() -> None:
    env = start(x=RIGHT - 3, y=42.0, vx=3.0, vy=0.0, paddles=42.0)
    for x in (RIGHT, RIGHT - 3.15):
        env.step(np.array([0]))
        assert np.allclose((env.state_dict()["x"][0], env.state_dict()["vx"][0]), (x, -3.15))


def test_no_ball_slips_through_a_paddle_by_rounding() -> None:
    """At every speed, a ball that ends at or behind the edge of the paddle was reflected."""
    random = np.random.default_rng(0)
    env = PongConfig(observe="features").make(20_000)
    env.reset(seed=0)
    speed = random.uniform(3, 5, 20_000)
    # x + vx is the edge, or its neighbor among the floats.
    env.set_state_arrays(x=RIGHT - speed, y=42.0, vx=speed, vy=0.0)
    for _ in range(2):
        env.step(np.zeros(20_000, np.int64))
    assert (env.state_dict()["vx"] < 0).all()


def test_a_ball_behind_a_paddle_is_lost() -> None:
    env = start(x=RIGHT + 1, y=42.0, vx=3.0, vy=0.0, paddles=42.0)
    assert env.step(np.array([0]))[1][0] == 0
    assert env.step(np.array([0]))[1][0] == -1


def test_a_wall_and_a_paddle_in_one_step() -> None:
    """The ball goes down 3, meets the wall at y = 78 after two thirds, and the paddle at the step's end."""
    env = start(x=RIGHT - 3, y=76.0, vx=3.0, vy=3.0, paddles=72.0)
    env.step(np.array([0]))
    arrays = env.state_dict()
    assert np.allclose([arrays[name][0] for name in ("x", "y", "vx", "vy")], [RIGHT, 77.0, -3.15, 5 / 7 * 3])


def test_the_last_point_in_the_last_step_terminates() -> None:
    env = PongConfig(max_steps=1).make(1)
    env.reset(seed=0)
    env.set_state_arrays(scores=[2, POINTS - 1], x=83.0, vx=3.0)
    assert [part[0] for part in env.step(np.array([0]))[1:4]] == [-1, True, False]


def test_the_script_waits_in_the_middle_and_may_stand_still() -> None:
    env = start(x=60.0, y=70.0, vx=3.0, vy=0.0, paddles=50.0)
    env.step(np.array([0]))
    assert np.isclose(env.state_dict()["paddles"][0, 1], 48.8)
    still = PongConfig(opponent_speed=0).make(1)
    still.reset(seed=0)
    for _ in range(50):
        still.step(np.array([0]))
    assert still.state_dict()["paddles"][0, 1] == 42.0


def test_features_by_hand() -> None:
    env = start(observe="features", players=2, x=60.0, y=20.0, vx=-4.0, vy=1.5, paddles=[[30.0, 57.0]])
    seen = env.step(np.array([[0, 0]]))[0][0]
    right = np.array([(56 - 42) / 42, (21.5 - 42) / 42, -4 / 5, 1.5 / 3, (30 - 42) / 42, (57 - 42) / 42])
    assert np.allclose(seen[0], right)
    assert np.allclose(seen[1], [-right[0], right[1], -right[2], right[3], right[5], right[4]])


def test_pixels_by_hand() -> None:
    frame = start(x=23.0, y=50.0, vx=-3.0, vy=0.0, paddles=[[30.0, 60.0]]).step(np.array([0]))[0][0, 0]
    ball, paddles = np.argwhere(frame[:, 10:70] == 255), frame[:, [4, 5, 78, 79]] == 255
    assert ball.tolist() == [[49, 9], [49, 10], [50, 9], [50, 10]]  # 2x2 around (50, 20)
    assert [np.flatnonzero(column)[[0, -1]].tolist() for column in paddles.T] == [[53, 64]] * 2 + [[24, 35]] * 2
    assert np.flatnonzero(frame[:, 40] == 100).tolist() == [4, 5, 78, 79]


def test_the_left_player_plays_the_mirrored_field() -> None:
    """Two matches that mirror each other, with the players exchanged, do so until a new ball is served."""
    one, two = (PongConfig(players=2, observe="features").make(100) for _ in range(2))
    random, same, compared = np.random.default_rng(0), np.ones(100, bool), 0
    for env in (one, two):
        env.reset(seed=0)
    state = two.state_dict()
    two.set_state_arrays(x=84 - state["x"], vx=-state["vx"])
    for _ in range(60):
        actions = random.integers(3, size=(100, 2))
        (seen, won, *_), (mirrored, lost, *_) = one.step(actions), two.step(actions[:, ::-1])
        assert np.array_equal(won[same], -lost[same])
        same &= won == 0
        assert np.allclose(seen[same], mirrored[same][:, ::-1], atol=1e-6)
        compared += same.sum()
    assert compared > 1_000


def test_the_left_players_image_is_flipped() -> None:
    """The images mirror each other for every place of the ball, whose rounding is symmetric."""
    env = PongConfig(players=2).make(401)
    env.reset(seed=0)
    x = np.linspace(2, 82, 401)  # every half among them
    env.set_state_arrays(x=x)
    right, left = env.observe()[:, :, 0].swapaxes(0, 1)
    assert np.array_equal(left, right[..., ::-1])
    env.set_state_arrays(x=84 - x)
    assert np.array_equal(env.observe()[:, 0, 0], left)


def test_one_players_view_is_the_right_ones_of_two() -> None:
    alone, pair = start(), start(players=2)
    assert np.array_equal(alone.reset(seed=4)[0], pair.reset(seed=4)[0][:, 0])
    assert pair.single_observation_space.shape == (2, 1, 84, 84)


def test_a_player_who_hits_with_the_paddles_rim_wins_every_point() -> None:
    """The rim sends the ball away from the scripted opponent; the return is 21 with each of 20 seeds."""
    env = PongConfig(observe="features").make(20)
    seen, _ = env.reset(seed=0)
    returns, playing = np.zeros(20), np.ones(20, bool)
    while playing.any():
        _, y, vx, _, own, other = seen.T * 42
        away = np.where(vx > 0, y + np.where(other > 0, 2, -2), 0) - own
        seen, rewards, terminated, truncated, _ = env.step(np.where(away < -1.5, 1, np.where(away > 1.5, 2, 0)))
        returns += rewards * playing
        assert not (truncated & playing).any()
        playing &= ~terminated
        if terminated.any():
            seen, _ = env.reset(options={"reset_mask": terminated})
    assert (returns == 21).all()


@pytest.mark.parametrize("options", [{"opponent_speed": -1}, {"players": 3}, {"max_steps": 0}, {"observe": "sound"}])
def test_wrong_options_are_named(options: dict) -> None:
    with pytest.raises(ValueError, match=rf"pong: {next(iter(options))}: "):
        config_of("pong", options)
