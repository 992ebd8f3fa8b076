import pygame
import pytest

from sandbox.interfaces.environment import Controls
from sandbox.viewer.keyboard import KeyboardController
from sandbox.viewer.keys import KEY_NAMES, Key

CATCH = (Controls({"left": 0, "right": 2}, idle=1),)
PONG = (Controls({"up": 1, "down": 2}), Controls({"w": 1, "s": 2}))
ATARI = (Controls({"space": 1, "up": 2, "left": 4, "up+space": 10, "left+space": 12, "up+left+space": 15}),)


def actions(controls, script):
    """Return the actions for a script such as "+left . -left .": a key goes down, a step, it goes up, a step."""
    controllers, taken = [KeyboardController(each) for each in controls], []
    for event in script.split():
        if event == ".":
            chosen = [controller.action() for controller in controllers]
            taken.append(chosen if len(chosen) > 1 else chosen[0])
        else:
            assert any(controller.handle_key(Key(event[1:], event[0] == "+")) for controller in controllers)
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


def test_fast_presses_do_not_queue_up():
    assert actions(CATCH, "+left -left " * 9 + ". . . .") == [0, 0, 1, 1]


def test_two_players_share_a_keyboard():
    assert actions(PONG, ". +up +s . -up . +w . -s -w .") == [[0, 0], [1, 2], [0, 2], [0, 1], [0, 0]]


def test_a_new_episode_drops_presses_and_keeps_held_keys():
    controller = KeyboardController(CATCH[0])
    for key in (Key("left", True), Key("left", False), Key("right", True)):
        controller.handle_key(key)
    controller.start_episode()
    assert controller.action() == 2


def test_after_a_release_of_all_keys_none_is_held():
    controller = KeyboardController(CATCH[0])
    controller.handle_key(Key("right", True))
    controller.release_all()
    assert controller.action() == 1


def test_other_keys_are_not_handled():
    assert not KeyboardController(CATCH[0]).handle_key(Key("q", True))
    assert not KeyboardController(Controls()).handle_key(Key("left", True))


def test_names_are_pygames_in_any_case(display):
    assert KeyboardController(Controls({"Space": 1})).handle_key(Key("space", True))
    assert [pygame.key.name(pygame.key.key_code(name)) for name in KEY_NAMES] == list(KEY_NAMES)


def test_an_unknown_key_is_an_error():
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


def test_every_key_of_a_chord_is_handled():
    controller = KeyboardController(Controls({"up+space": 1}))
    assert controller.handle_key(Key("space", True))
    assert not controller.handle_key(Key("left", True))
    with pytest.raises(ValueError, match="no key is called 'fire'"):
        KeyboardController(Controls({"up+fire": 1}))
