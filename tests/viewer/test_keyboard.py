import pygame
import pytest

from sandbox.interfaces.environment import Controls
from sandbox.viewer.keyboard import KeyboardController
from sandbox.viewer.keys import NAMES, Key

CATCH = (Controls({"left": 0, "right": 2}, idle=1),)
PONG = (Controls({"up": 1, "down": 2}), Controls({"w": 1, "s": 2}))
ATARI = (Controls({"space": 1, "up": 2, "left": 4, "up+space": 10, "left+space": 12, "up+left+space": 15}),)


def actions(controls, tape):
    """Play a tape such as "+left . -left .": a key goes down, a step, it goes up, a step."""
    hands, taken = [KeyboardController(each) for each in controls], []
    for event in tape.split():
        if event == ".":
            moves = [hand.action() for hand in hands]
            taken.append(moves if len(moves) > 1 else moves[0])
        else:
            assert any(hand.take(Key(event[1:], event[0] == "+")) for hand in hands)
    return taken


def test_a_held_key_acts_until_it_is_released():
    assert actions(CATCH, ". +left . . -left .") == [1, 0, 0, 1]


def test_a_tap_between_two_steps_is_not_lost():
    assert actions(CATCH, "+left -left . .") == [0, 1]
    assert actions(CATCH, "+left -left +left -left . . .") == [0, 0, 1]
    assert actions(CATCH, "+right . +left -left . .") == [2, 0, 2]


def test_the_last_key_wins_and_its_release_gives_the_former_back():
    assert actions(CATCH, "+left . +right . . -right . -left .") == [0, 2, 2, 0, 1]
    assert actions(CATCH, "+left . +right . -left . -right .") == [0, 2, 2, 1]


def test_a_fast_finger_does_not_lag():
    assert actions(CATCH, "+left -left " * 9 + ". . . .") == [0, 0, 1, 1]


def test_two_players_share_a_keyboard():
    assert actions(PONG, ". +up +s . -up . +w . -s -w .") == [[0, 0], [1, 2], [0, 2], [0, 1], [0, 0]]


def test_a_new_episode_forgets_presses_and_keeps_what_is_held():
    hand = KeyboardController(CATCH[0])
    for key in (Key("left", True), Key("left", False), Key("right", True)):
        hand.take(key)
    hand.forget()
    assert hand.action() == 2


def test_who_lets_go_holds_nothing():
    hand = KeyboardController(CATCH[0])
    hand.take(Key("right", True))
    hand.let_go()
    assert hand.action() == 1


def test_other_keys_are_not_the_games():
    assert not KeyboardController(CATCH[0]).take(Key("q", True))
    assert not KeyboardController(Controls()).take(Key("left", True))


def test_names_are_pygames_in_any_case(display):
    assert KeyboardController(Controls({"Space": 1})).take(Key("space", True))
    assert [pygame.key.name(pygame.key.key_code(name)) for name in NAMES] == list(NAMES)


def test_an_unknown_key_is_named():
    with pytest.raises(ValueError, match="no key is called 'fire'"):
        KeyboardController(Controls({"fire": 1}))


def test_keys_held_together_are_a_chord():
    assert actions(ATARI, "+up . . +space . . -up . . -space .") == [2, 2, 10, 10, 1, 1, 0]
    assert actions(ATARI, "+space +up . . . -space . +left +space . . .") == [10, 10, 10, 2, 15, 15, 15]


def test_the_chord_with_the_most_keys_wins_and_then_the_latest():
    assert actions(ATARI, "+up . +left . -up . +up . . +space . . -up .") == [2, 4, 4, 2, 2, 15, 15, 12]
    controls = (Controls({"a": 1, "b": 2, "a+c": 3, "b+c": 4}),)
    assert actions(controls, "+c . +a . +b . . -b . -c .") == [0, 3, 4, 4, 3, 1]
    controls = (Controls({"a+b": 1, "c": 2}),)
    assert actions(controls, "+a +b . . . +c . . -a .") == [1, 1, 1, 2, 1, 2]


def test_a_tap_counts_with_what_is_held():
    assert actions(ATARI, "+up . . +space -space . .") == [2, 2, 10, 2]
    assert actions((Controls({"a": 1, "b": 2, "a+c": 3}),), "+a . . +b -b . +c . . -a .") == [1, 1, 2, 3, 3, 0]


def test_every_key_of_a_chord_belongs_to_the_game():
    hand = KeyboardController(Controls({"up+space": 1}))
    assert hand.take(Key("space", True))
    assert not hand.take(Key("left", True))
    with pytest.raises(ValueError, match="no key is called 'fire'"):
        KeyboardController(Controls({"up+fire": 1}))
