"""People at play in a session: alone, two of them, or against an agent."""

import numpy as np
import pytest
import torch

from sandbox.envs.catch import CatchConfig
from sandbox.envs.pong import PongConfig
from sandbox.interfaces.environment import Controls
from sandbox.viewer.episode import Game, PlayerSlot, episodes
from sandbox.viewer.keys import Key


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


def moves(face):
    return face.session._frame.action


def test_it_begins_paused_and_keys_become_actions(play):
    face = play(CatchConfig().make(1)).play(None, "space")
    assert face.each("banner") == ["space to start", ""]
    taken = []
    for script in ([None], ["left", None], [None], [Key("left", False), None]):
        face.play(*script)
        taken.append(moves(face))
    assert taken == [(1,), (0,), (0,), (1,)]


def test_two_players_and_their_keys_go_first(play):
    face = play(PongConfig(players=2).make(1)).play("space", None, "up", "s", None)
    assert moves(face) == (1, 2)
    assert list(face.shown[0].hints)[:2] == [("up down", "player 1"), ("w s", "player 2")]
    assert face.each("saved")[-1] is None


def test_the_end_stays_until_it_is_answered(play):
    face = play(CatchConfig().make(1)).play("space", *[None] * 20)
    assert face.steps[-1] == 9
    assert face.each("banner")[-1] == f"return {face.each('return')[-1]}  ·  space to play again"
    face.play("r", None)
    assert (face.steps[-2:], face.each("seed")[-1]) == ([0, 1], "0")
    face.play(*[None] * 20, "space", None)
    assert (face.steps[-2:], face.each("seed")[-1]) == ([0, 1], "1")


def test_a_game_that_fires_with_space_is_paused_with_p(play):
    env = CatchConfig().make(1)
    env.controls = (Controls({"space": 2}, idle=1),)
    face = play(env)
    assert face.each("banner") == ["p to start"]
    face.play("space", None, "p", None)
    assert (face.steps[-1], moves(face)) == (1, (2,))


def test_a_game_without_an_idle_action_waits_for_its_keys(play):
    env = CatchConfig().make(1)
    env.controls = (Controls({"left": 0, "right": 2}, idle=None),)
    face = play(env).play(None, None, "left", None, None, Key("left", False), None, None)
    assert face.steps[-1] in (1, 2)
    assert moves(face) == (0,)
    before = face.steps[-1]
    face.play("right", Key("right", False), None, None, None)
    assert (face.steps[-1], moves(face)) == (before + 1, (2,))


def test_tab_says_when_there_is_nobody_to_hand_over_to(play, watch, steady):
    assert play(CatchConfig().make(1)).play("tab").each("joystick")[-1] == "no agent here"
    env = CatchConfig().make(1)
    env.controls = (Controls(),)
    assert watch(env, steady(1)).play("tab").each("joystick")[-1] == "this game has no keys"


def test_a_person_plays_against_an_agent_and_hands_it_the_joystick(play, steady):
    face = play(pair(), steady(2)).play("space", None, "up", "w", None)
    assert moves(face) == (1, 2)
    face.play("tab", None)
    assert moves(face) == (2, 2)
    assert face.each("joystick")[-1] == "the agent's"
    face.play("s")
    assert face.each("saved")[-1] == "screenshot-001.png"  # `s` is not the second player's key any more


def test_each_agent_moves_its_own_paddle(steady):
    frames = next(episodes([PlayerSlot(steady(1)), PlayerSlot(steady(2))], pair(), seed=0))
    assert [next(frames).action for _ in range(3)] == [(), (1, 2), (1, 2)]


@pytest.mark.parametrize(("side", "score"), [(0, 1), (1, -1)])
def test_one_agent_plays_both_sides(steady, side, score):
    """The same player beats one that stands still, whichever paddle it has."""
    players = [steady(0), steady(0)]
    players[side] = Tracker()
    *_, last = next(episodes([PlayerSlot(player) for player in players], pair(max_steps=300), seed=0))
    assert score * last.return_ >= 3


def test_each_sees_the_field_as_if_it_were_on_the_right(steady):
    env, left = pair(), Tracker()
    Game(env, [PlayerSlot(steady(1)), PlayerSlot(left)]).start(3)
    x, vx, (own, other) = *(env.state_dict()[name][0] for name in ("x", "vx")), env.state_dict()["paddles"][0]
    expected = [(42 - x) / 42, -vx / 5, (other - 42) / 42, (own - 42) / 42]
    assert np.allclose(left.seen[0][0][0, [0, 2, 4, 5]], expected)


def test_each_carries_its_own_state_from_the_episodes_start(steady):
    right, left = steady(0), Tracker()
    played = episodes([PlayerSlot(right), PlayerSlot(left)], pair(max_steps=3), seed=0)
    for _ in range(2):
        list(next(played))
    assert right.states == [0, 1, 2, 0, 1, 2]
    assert [state for _, state in left.seen] == [0, 1, 2, 0, 1, 2]


class Told:
    """Wants to know its last reward."""

    def initial_state(self, num_envs):
        return {"reward": torch.zeros(num_envs)}

    def act(self, observations, state, *, explore):
        self.last = state["reward"].item()
        return np.ones(len(observations), np.int64), {"reward": torch.zeros(len(observations))}


def test_who_plays_alone_is_told_its_reward():
    told, env = Told(), PongConfig(observe="features", opponent_speed=0.0).make(1)
    heard, rewards, frame = [], [], Game(env, [seat := PlayerSlot(told)]).start(0)
    game = Game(env, [seat])
    frame = game.start(0)
    while not any(rewards):
        frame, happened = game.step(frame)
        rewards.append(float(happened.rewards[0]))
        heard.append(told.last)
    assert heard == rewards
