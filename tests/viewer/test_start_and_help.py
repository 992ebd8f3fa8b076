"""The start of a game, its countdown, the help, pauses, and the keys that belong to each."""

import numpy as np
import pytest

from sandbox.envs.atari import AtariConfig
from sandbox.envs.cart_pole import CartPoleConfig
from sandbox.envs.catch import CatchConfig
from sandbox.envs.grid_world import GridWorldConfig
from sandbox.envs.pong import PongConfig
from sandbox.envs.t_maze import TMazeConfig
from sandbox.interfaces.environment import About, Controls
from sandbox.viewer.episode import Frame, PlayerSlot, image_at
from sandbox.viewer.game_session import GameSession
from sandbox.viewer.keyboard import KeyboardController
from sandbox.viewer.keys import Key
from sandbox.viewer.session_settings import SessionSettings


@pytest.fixture
def catch(play):
    return play(CatchConfig().make(1))


def test_the_start_says_what_to_do(tmp_path):
    config = PongConfig(players=2)
    env = config.make(1)
    slots = [PlayerSlot(None, KeyboardController(controls)) for controls in env.controls]
    card = GameSession(env, slots, SessionSettings("pong", folder=tmp_path, about=config.about)).view().card
    assert (card.title, card.lines) == (
        "Pong",
        [
            config.about.goal,
            "Player 1 is the blue paddle on the right.",
            "Player 2 is the red paddle on the left.",
        ],
    )
    assert card.columns == [
        [("up down", "player 1: move")],
        [("w", "player 2: up"), ("s", "player 2: down")],
    ]
    assert config.about == About("Pong", config.goal)


@pytest.mark.parametrize("key", ["left", "right", "space", "return"])
def test_any_key_of_the_player_starts_after_a_countdown(catch, key):
    catch.play(None, None)
    assert (catch.steps[-1], catch.shown[-1].card is not None) == (0, True)
    catch.play(key)
    assert (catch.shown[-1].card, catch.each("banner")[-1]) == (None, "get ready  ·  3")
    start = catch.now
    catch.play(*[None] * 12)
    banners = [banner for banner in catch.each("banner") if banner.startswith("get ready")]
    assert [banner[-1] for banner in dict.fromkeys(banners)] == ["3", "2", "1"]
    first = next(number for number, step in enumerate(catch.steps) if step == 1)
    assert catch.steps[: first - 1] == [0] * (first - 1)
    assert catch.now - start > 1.5


def test_a_key_that_is_held_through_the_countdown_acts(catch):
    catch.play("left").ready().play(None)
    assert catch.session.frame.actions == (0,)


def test_other_keys_start_nothing(catch):
    catch.play("x", "up", None)
    assert catch.shown[-1].card is not None


@pytest.mark.parametrize("config", [GridWorldConfig(), TMazeConfig()])
def test_a_turn_based_game_starts_without_a_countdown_and_the_key_is_no_move(play, config):
    frontend = play(config.make(1)).play("right", None, None)
    assert (frontend.steps[-1], frontend.shown[-1].card, frontend.each("banner")[-1]) == (0, None, "")
    frontend.play("right", None)
    assert frontend.steps[-1] == 1


def test_help_stops_the_game_and_escape_closes_it(catch):
    catch.play("left", Key("left", False)).ready().play(None, "h")
    step = catch.steps[-1]
    catch.play(*[None] * 5)
    assert (catch.steps[-1], catch.each("playback")[-1]) == (step, "paused")
    assert catch.shown[-1].card.title == "a game"
    catch.play("escape")
    assert (catch.shown[-1].card, catch.session.quit_requested) == (None, False)
    assert catch.each("banner")[-1].startswith("get ready")
    catch.ready().play(None, None)
    assert catch.steps[-1] > step
    catch.play("escape")
    assert catch.session.quit_requested


def test_help_stops_an_agent_too(watch, steady):
    frontend = watch(CatchConfig().make(1), steady(1)).play(None, "h", None, None, "h", None)
    assert frontend.steps[-2:] == [1, 2]


def test_without_the_focus_a_persons_game_is_paused(catch, watch, steady):
    catch.play("left").ready().play(None)
    catch.session.lose_focus()
    step = catch.steps[-1]
    catch.play(*[None] * 5)
    assert (catch.steps[-1], catch.each("banner")[-1]) == (step, "paused  ·  space to go on")
    catch.play("space").ready().play(None)
    assert catch.session.frame.actions == (1,)  # the key that was held is released
    agent = watch(CatchConfig().make(1), steady(1)).play(None)
    agent.session.lose_focus()
    assert agent.play(None).steps[-1] == 2


def test_the_next_episode_starts_by_a_key_a_second_after_the_end(catch):
    catch.play("left", Key("left", False)).ready()
    while not catch.session.frame.is_last:
        catch.play(None)
    catch.play("left", Key("left", False))
    assert catch.session.frame.is_last  # pressed too early, while the game was still on
    catch.play(*[None] * 6, "left")
    assert (catch.steps[-1], catch.each("seed")[-1], catch.each("banner")[-1]) == (0, "1", "get ready  ·  3")


def test_a_person_sees_the_answer_at_the_end_only(play):
    env = TMazeConfig(length=1).make(1)
    frontend = play(env).play("right", Key("right", False), None)
    shapes = [frontend.shown[-1].frame.shape]
    for key in ("right", "up"):
        frontend.play(key, None, Key(key, False))
        shapes.append(frontend.shown[-1].frame.shape)
    assert shapes == [(420, 420, 3), (420, 420, 3), (400, 480, 3)]


def test_taking_over_from_an_agent_hides_the_answer(watch, steady):
    frontend = watch(TMazeConfig().make(1), steady(1))
    assert frontend.session.view().frame.shape == (400, 480, 3)
    assert frontend.play("t").session.view().frame.shape == (420, 420, 3)
    assert frontend.play("t").session.view().frame.shape == (400, 480, 3)


def test_without_a_key_the_cart_is_pushed_to_both_sides_in_turn(play):
    frontend = play(CartPoleConfig().make(1)).play("left", Key("left", False)).ready()
    taken = []
    for _ in range(4):
        frontend.play(None)
        taken.append(frontend.session.frame.actions[0])
    assert sorted(taken) == [0, 0, 1, 1]


def test_keys_are_in_the_order_of_the_keyboard():
    controller = KeyboardController(Controls({"right": 0, "0": 1, "a": 2, "1": 3, "up": 4, "left": 5, "q": 6}))
    assert controller.keys == ("1", "0", "q", "a", "up", "left", "right")


def test_all_images_of_a_step_are_shown_at_sixty_a_second(play):
    frontend = play(AtariConfig(game="pong", noop_max=0).make(1)).play("up", Key("up", False)).ready()
    frontend.session._playback.fps = 15.0
    start, before = frontend.now, len(frontend.shown)
    while frontend.now < start + 1.0:
        frontend.play(None)
    assert 55 <= len(frontend.shown) - before <= 62


def test_the_image_that_is_due():
    frame = Frame([np.zeros(1)] * 4, 0, 1, 0.0, (), False)
    assert [image_at(frame, 15.0, elapsed / 60) for elapsed in range(5)] == [-4, -3, -2, -1, -1]
    assert [image_at(frame, 30.0, elapsed / 60) for elapsed in range(3)] == [-3, -1, -1]
    assert image_at(frame, 240.0, 0.0) == -1
