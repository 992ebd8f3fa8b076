from itertools import islice

import numpy as np
import pytest
import torch

from envs.pong import PongConfig
from sandbox.viewer.episode import episodes
from sandbox.viewer.play import play
from sandbox.viewer.versus import Versus


class Tracker:
    """Plays Pong from features, knows nothing of sides, and remembers what it saw."""

    def __init__(self):
        self.seen = []

    def initial_state(self, num_envs):
        return torch.zeros(num_envs, 1)

    def act(self, observations, state, *, explore):
        self.seen.append((observations.copy(), state.item()))
        away = observations[:, 1] - observations[:, 4]
        return np.where(away < -0.05, 1, np.where(away > 0.05, 2, 0)), state + 1


def pair(**options):
    return PongConfig(observe="features", players=2, **options).make(1)


def test_each_player_moves_its_own_paddle(steady):
    frames = next(episodes(Versus([steady(1), steady(2)]), pair(), seed=0))
    assert [frame.action for frame in islice(frames, 3)] == [(), (1, 2), (1, 2)]


@pytest.mark.parametrize(("side", "score"), [(0, 1), (1, -1)])
def test_one_agent_plays_both_sides(steady, side, score):
    """The same player beats one that stands still, whichever paddle it has."""
    players = [steady(0), steady(0)]
    players[side] = Tracker()
    *_, last = next(episodes(Versus(players), pair(max_steps=300), seed=0))
    assert score * last.return_ >= 3


def test_each_sees_the_field_as_if_it_were_on_the_right(steady):
    env, left = pair(), Tracker()
    frames = next(episodes(Versus([steady(1), left]), env, seed=3))
    next(frames)
    x, vx, (own, other) = *(env.state_dict()[name][0] for name in ("x", "vx")), env.state_dict()["paddles"][0]
    next(frames)
    expected = [(42 - x) / 42, -vx / 5, (other - 42) / 42, (own - 42) / 42]
    assert np.allclose(left.seen[0][0][0, [0, 2, 4, 5]], expected)


def test_each_carries_its_own_state_from_the_episodes_start(steady):
    right, left = steady(0), Tracker()
    played = episodes(Versus([right, left]), pair(max_steps=3), seed=0)
    for episode in islice(played, 2):
        list(episode)
    assert right.states == [0, 1, 2, 0, 1, 2]
    assert [state for _, state in left.seen] == [0, 1, 2, 0, 1, 2]


def test_two_memories_are_apart():
    first, second = Tracker(), Tracker()
    versus = Versus([first, second])
    _, state = versus.act(np.zeros((1, 2, 6)), (torch.zeros(1, 1), torch.full((1, 1), 7.0)), explore=False)
    assert [each.item() for each in state] == [1, 8]


def test_a_person_plays_against_an_agent(tape, steady):
    tape.script = ["space", None, "up", "s", None, "w", None]
    list(play(tape, pair(), seed=0, fps=16.0, opponent=steady(2)))
    moves = {shown["step"]: shown["action"] for shown in tape.shown}
    assert moves == {"0": "–", "1": "0 2", "2": "1 2", "3": "1 2"}
    assert tape.saved == 1  # `s` is not the second player's key any more
    assert next(iter(tape.shown[0]["keys"].items())) == ("up down", "play")
