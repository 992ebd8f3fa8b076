"""Sessions in which people play: alone, two of them, or against an agent."""

import numpy as np
import pytest
import torch

from sandbox.envs.catch import CatchConfig
from sandbox.envs.pong import PongConfig
from sandbox.interfaces.environment import Controls
from sandbox.viewer.episode import Game, PlayerSlot, episodes
from sandbox.viewer.keys import Key


class Tracker:
    """Follows the ball in Pong, from features, and keeps its observations and states."""

    def __init__(self):
        self.observed = []

    def initial_state(self, num_envs):
        return torch.zeros(num_envs, 1)

    def act(self, observations, state, *, explore):
        self.observed.append((observations.copy(), state.item()))
        away = observations[:, 1] - observations[:, 4]
        return np.where(away < -0.05, 1, np.where(away > 0.05, 2, 0)), state + 1


def pair(**options):
    return PongConfig(observe="features", players=2, **options).make(1)


def actions(frontend):
    return frontend.session.frame.actions


def test_keys_become_actions(play):
    frontend = play(CatchConfig().make(1)).play(None, "space").ready()
    taken = []
    for script in ([None], ["left", None], [None], [Key("left", False), None]):
        frontend.play(*script)
        taken.append(actions(frontend))
    assert taken == [(1,), (0,), (0,), (1,)]


def test_two_players_and_their_keys_go_first(play):
    frontend = play(PongConfig(players=2).make(1)).play("space").ready().play("up", "s", None)
    assert actions(frontend) == (1, 2)
    assert list(frontend.shown[0].hints)[:2] == [("up down", "player 1"), ("w s", "player 2")]
    assert frontend.each("saved")[-1] is None


def test_the_last_frame_stays_until_a_key_is_pressed(play):
    frontend = play(CatchConfig().make(1)).play("space").ready().play(*[None] * 20)
    assert frontend.steps[-1] == 9
    assert frontend.each("banner")[-1] == f"return {frontend.each('return')[-1]}  ·  space to play again"
    frontend.play("r").ready().play(None)
    assert (frontend.steps[-2:], frontend.each("seed")[-1]) == ([0, 1], "0")
    frontend.play(*[None] * 20, "space").ready().play(None)
    assert (frontend.steps[-2:], frontend.each("seed")[-1]) == ([0, 1], "1")


def test_space_as_an_action_leaves_p_for_pausing(play):
    env = CatchConfig().make(1)
    env.controls = (Controls({"space": 2}, idle=1),)
    frontend = play(env)
    frontend.play("p").ready().play("space", None, "p", None)
    assert frontend.each("banner")[-1] == "paused  ·  p to go on"
    assert (frontend.steps[-1], actions(frontend)) == (1, (2,))


def test_without_an_idle_action_the_environment_waits_for_keys(play):
    env = CatchConfig().make(1)
    env.controls = (Controls({"left": 0, "right": 2}, idle=None),)
    frontend = play(env).play(None, "left", Key("left", False), None, None)
    assert frontend.steps[-1] == 0  # the key that starts is no move
    frontend.play("left", None, None, Key("left", False), None, None)
    assert frontend.steps[-1] in (1, 2)
    assert actions(frontend) == (0,)
    before = frontend.steps[-1]
    frontend.play("right", Key("right", False), None, None, None)
    assert (frontend.steps[-1], actions(frontend)) == (before + 1, (2,))


def test_tab_says_why_control_cannot_be_switched(play, watch, steady):
    assert play(CatchConfig().make(1)).play("tab").each("control")[-1] == "there is no agent"
    env = CatchConfig().make(1)
    env.controls = (Controls(),)
    assert watch(env, steady(1)).play("tab").each("control")[-1] == "this environment has no keys"


def test_a_person_plays_against_an_agent_and_hands_it_control(play, steady):
    frontend = play(pair(), steady(2)).play("space").ready().play("up", "w", None)
    assert actions(frontend) == (1, 2)
    frontend.play("tab", None)
    assert actions(frontend) == (2, 2)
    assert frontend.each("control")[-1] == "the agent's"
    frontend.play("s")
    assert frontend.each("saved")[-1] == "screenshot-001.png"  # `s` is no longer the second player's key


def test_each_agent_moves_its_own_paddle(steady):
    frames = next(episodes([PlayerSlot(steady(1)), PlayerSlot(steady(2))], pair(), seed=0))
    assert [next(frames).actions for _ in range(3)] == [(), (1, 2), (1, 2)]


@pytest.mark.parametrize(("side", "score"), [(0, 1), (1, -1)])
def test_one_agent_plays_both_sides(steady, side, score):
    """The same player beats one that stands still, whichever paddle it has."""
    players = [steady(0), steady(0)]
    players[side] = Tracker()
    *_, last = next(episodes([PlayerSlot(player) for player in players], pair(max_steps=300), seed=0))
    assert score * last.return_ >= 3


def test_each_player_observes_the_field_as_if_it_were_on_the_right(steady):
    env, left = pair(), Tracker()
    Game(env, [PlayerSlot(steady(1)), PlayerSlot(left)]).start(3)
    x, vx, (own, other) = *(env.state_dict()[name][0] for name in ("x", "vx")), env.state_dict()["paddles"][0]
    expected = [(42 - x) / 42, -vx / 5, (other - 42) / 42, (own - 42) / 42]
    assert np.allclose(left.observed[0][0][0, [0, 2, 4, 5]], expected)


def test_each_agent_has_its_own_recurrent_state(steady):
    right, left = steady(0), Tracker()
    played = episodes([PlayerSlot(right), PlayerSlot(left)], pair(max_steps=3), seed=0)
    for _ in range(2):
        list(next(played))
    assert right.states == [0, 1, 2, 0, 1, 2]
    assert [state for _, state in left.observed] == [0, 1, 2, 0, 1, 2]


class RewardReader:
    """An agent whose state holds its last reward."""

    def initial_state(self, num_envs):
        return {"reward": torch.zeros(num_envs)}

    def act(self, observations, state, *, explore):
        self.last_reward = state["reward"].item()
        return np.ones(len(observations), np.int64), {"reward": torch.zeros(len(observations))}


def test_a_single_player_sees_its_last_reward():
    agent = RewardReader()
    game = Game(PongConfig(observe="features", opponent_speed=0.0).make(1), [PlayerSlot(agent)])
    seen, rewards, frame = [], [], game.start(0)
    while not any(rewards):
        frame, transition = game.step(frame)
        rewards.append(float(transition.rewards[0]))
        seen.append(agent.last_reward)
    assert seen == rewards
