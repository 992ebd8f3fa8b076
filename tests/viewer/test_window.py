import numpy as np
import pygame
import pytest

from envs.catch import CatchConfig
from sandbox.viewer.play import play
from sandbox.viewer.window import Key, Window


@pytest.fixture
def window():
    with Window("test") as window:
        yield window


def press(key, kind=pygame.KEYDOWN):
    pygame.event.post(pygame.event.Event(kind, key=key))


def test_the_picture_is_scaled_by_a_whole_number(window):
    picture = np.random.default_rng(0).integers(0, 256, (84, 84, 3), np.uint8)
    window.show(picture, [("return", "1")], [("q", "quit")])
    screen = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
    left = (screen.shape[1] - 7 * 84) // 2  # 7 * 84 pixels and the words fit into nine tenths of 768
    np.testing.assert_array_equal(screen[: 7 * 84, left : left + 7 * 84], picture.repeat(7, 0).repeat(7, 1))
    assert screen[7 * 84 :].max() > 200  # words


def test_a_banner_lies_across_the_picture(window):
    picture = np.zeros((84, 84, 3), np.uint8)
    window.show(picture, [("return", "1")], [("q", "quit")], "over")
    screen = pygame.surfarray.array3d(pygame.display.get_surface())
    assert screen[:, 7 * 42].max() > 200
    assert screen[:, 7 * 10].max() < 50


def test_a_large_picture_is_not_shrunk(window):
    window.show(np.zeros((900, 1200, 3), np.uint8), [("return", "1")], [("q", "quit")])
    assert pygame.display.get_surface().get_width() == 1200


def test_keys_come_in_order_under_pygames_names(window):
    pygame.event.post(pygame.event.Event(pygame.MOUSEMOTION, pos=(0, 0), rel=(0, 0), buttons=(0, 0, 0)))
    press(pygame.K_LEFT)
    press(pygame.K_LEFT, pygame.KEYUP)
    press(pygame.K_KP_PLUS)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    keys = [window.key(0.01) for _ in range(5)]
    assert keys == [Key("left", True), Key("left", False), Key("[+]", True), Key("escape", True), None]
    assert window.key(-1.0) is None


def test_screenshots_are_numbered(window, tmp_path):
    window.show(np.full((84, 84, 3), 200, np.uint8), [("return", "1")], [("q", "quit")])
    assert [window.save(tmp_path).name for _ in range(2)] == ["screenshot-001.png", "screenshot-002.png"]
    assert pygame.image.load(tmp_path / "screenshot-001.png").get_size() == pygame.display.get_surface().get_size()
    with pytest.raises(OSError, match="missing"):
        window.save(tmp_path / "missing")


def test_a_game_from_the_first_key_to_the_last(window):
    for key in (pygame.K_SPACE, pygame.K_LEFT, pygame.K_SPACE, pygame.K_n, pygame.K_n, pygame.K_q):
        press(key)
    (end,) = play(window, CatchConfig().make(1), seed=0)
    assert (end.step, end.action, end.ended) == (2, (0,), False)
