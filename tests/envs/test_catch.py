"""Catch by hand."""

import numpy as np
import pytest

from sandbox.envs.catch import CatchConfig


def place(env, ball_x: int) -> None:
    env.set_state_arrays(ball_x=ball_x)


def test_an_episode_by_hand() -> None:
    env = CatchConfig(observe="features").make(1)
    observations, _ = env.reset(seed=0)
    place(env, 4)
    board = env.observe()[0].reshape(10, 5)
    assert np.argwhere(board).tolist() == [[0, 4], [9, 2]]
    for step in range(1, 10):
        observations, rewards, terminated, truncated, _ = env.step(np.array([2]))
        board = observations[0].reshape(10, 5)
        assert board[step, 4] == 1
        assert board[9, min(2 + step, 4)] == 1
        assert (rewards[0], terminated[0], truncated[0]) == (float(step == 9), step == 9, False)


@pytest.mark.parametrize(("action", "reward"), [(0, -1.0), (1, 1.0), (2, -1.0)])
def test_landing(action: int, reward: float) -> None:
    env = CatchConfig().make(1)
    env.reset(seed=0)
    place(env, 2)
    total = [env.step(np.array([action]))[1][0] for _ in range(9)]
    assert total == [0.0] * 8 + [reward]


def test_pixels_show_ball_paddle_and_frame() -> None:
    env = CatchConfig().make(1)
    env.reset(seed=0)
    place(env, 0)
    frame = env.observe()[0, 0]
    assert frame[2:10, 22:30].min() == 255
    assert (frame == 255).sum() == 64
    assert frame[74:82, 38:46].min() == 160
    assert (frame == 160).sum() == 64
    assert (frame[2:82, 21] == 64).all()
    assert (frame[2:82, 62] == 64).all()


@pytest.mark.parametrize("observe", ["pixels", "features"])
def test_blind_shows_the_ball_in_the_first_observation_only(observe: str) -> None:
    env = CatchConfig(observe=observe, blind=True).make(2)
    first, _ = env.reset(seed=0)
    ball = first.max()
    assert (first == ball).reshape(2, -1).any(1).all()
    marks = (first == ball).reshape(2, -1).sum(1)
    for _ in range(9):
        later = env.step(np.array([1, 1]))[0]
        assert ((later == ball).reshape(2, -1).sum(1) == (0 if observe == "pixels" else marks - 1)).all()
    again, _ = env.reset()
    assert ((again == ball).reshape(2, -1).sum(1) == marks).all()


def test_every_column_is_drawn() -> None:
    env = CatchConfig(observe="features").make(500)
    observations, _ = env.reset(seed=0)
    counts = observations[:, :5].sum(0)
    assert counts.min() > 60
