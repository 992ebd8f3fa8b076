"""One renderer: where things lie, at any size of window and game."""

import numpy as np
import pytest

from sandbox.viewer.render import pointed, render
from sandbox.viewer.view import Bars, Images, Strip, View

RNG = np.random.default_rng(0)
SIZES = {"grid world": (5, 5), "board": (440, 240), "atari": (210, 160), "wide": (80, 600), "huge": (900, 1200)}
PANELS = (
    Bars("values", ["left", "a name that is far too long for its place"], np.array([1.0, -2.0]), -2.0, 1.0, 0),
    Strip("memory", [RNG.normal(size=512), RNG.normal(size=40)]),
    Images("sees", RNG.integers(0, 256, (4, 84, 84), np.uint8)),
    Images("attention", RNG.integers(0, 256, (1, 84, 84), np.uint8), RNG.random((1, 7, 7))),
    Bars("many", [str(n) for n in range(18)], RNG.normal(size=18), -3.0, 3.0, 4),
)
GREEN = (1, 254, 3)


def green(game):
    return np.full((*SIZES[game], 3), GREEN, np.uint8)


def found(picture):
    """The rectangle (top, bottom, left, right) of the green game, which must be whole."""
    rows, columns = np.nonzero((picture == GREEN).all(2))
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    assert (picture[top:bottom, left:right] == GREEN).all()
    return top, bottom, left, right


@pytest.mark.parametrize("size", [(820, 600), (1280, 800), (2560, 1440), (900, 1400)])
@pytest.mark.parametrize("game", SIZES)
@pytest.mark.parametrize("panels", [(), PANELS])
def test_nothing_overlaps_the_game(game, size, panels):
    words = [("return", "-123.45"), ("step", "10000"), ("seed", "12"), ("epsilon", "0.05")]
    view = View(green(game), "a long name of a run · step 1,000,000", "paused", words, [("h", "help")], panels)
    picture = render(view, *size)
    assert (picture.shape, picture.dtype) == ((size[1], size[0], 3), np.uint8)
    top, bottom, left, right = found(picture)
    high, wide = SIZES[game]
    assert (right - left) / (bottom - top) == pytest.approx(wide / high, rel=0.05)
    without = render(View(green(game), panels=panels), *size)
    assert found(without) == (top, bottom, left, right)  # words move nothing
    assert (picture[:, :left] == without[:, :left])[top:bottom].all()


def test_pixels_are_enlarged_by_a_whole_number():
    game = RNG.integers(0, 256, (84, 84, 3), np.uint8)
    picture = render(View(game), 1280, 800)
    scale = 8
    rows = [n for n in range(800) if (picture[n, 304 : 304 + 84 * scale : scale] == game[0]).all()]
    assert len(rows) == scale
    block = picture[rows[0] : rows[0] + 84 * scale, 304 : 304 + 84 * scale]
    np.testing.assert_array_equal(block, game.repeat(scale, 0).repeat(scale, 1))


def test_a_small_window_sees_all_of_it_shrunk():
    assert render(View(green("board"), panels=PANELS), 320, 200).shape == (200, 320, 3)


def test_the_mouse_finds_the_pixel():
    view = View(green("grid world"), panels=PANELS)
    for size in ((1280, 800), (400, 300)):
        picture = render(view, *size)
        rows, columns = np.nonzero((picture == GREEN).all(2))
        top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        x, y = pointed(view, *size, (left + right) // 2, (top + bottom) // 2)
        assert (x, y) == (pytest.approx(0.5, abs=0.01), pytest.approx(0.5, abs=0.01))
        assert pointed(view, *size, left - 3, top) is None


def test_the_longest_bar_is_the_chosen_ones():
    bars = Bars("values", ["one", "two"], np.array([1.0, 3.0]), 0.0, 4.0, 1)
    picture = render(View(green("board"), panels=[bars]), 1280, 800).astype(int)
    coral = (np.abs(picture - (255, 127, 102)).sum(2) < 10).sum(1)
    faint = (np.abs(picture - (62, 73, 108)).sum(2) < 10).sum(1)
    assert coral.max() == pytest.approx(3 * faint.max(), rel=0.05)


def test_zero_inside_the_range_is_where_bars_begin():
    bars = Bars("values", ["one"], np.array([-1.0]), -1.0, 1.0, 0)
    picture = render(View(green("board"), panels=[bars]), 1280, 800).astype(int)
    columns = np.nonzero((np.abs(picture - (255, 127, 102)).sum(2) < 10).any(0))[0]
    track = np.nonzero((np.abs(picture - (38, 47, 78)).sum(2) < 3).sum(0) > 4)[0]
    assert columns.max() <= (columns.min() + track.max()) / 2 + 2


def test_a_banner_and_help_lie_over_it():
    plain = render(View(green("board")), 1280, 800)
    banner = render(View(green("board"), banner="return 1"), 1280, 800)
    changed = np.nonzero((plain != banner).any((1, 2)))[0]
    assert 40 < changed.max() - changed.min() < 120
    helped = render(View(green("board"), help=[[("h", "help")], [("q", "quit")]]), 1280, 800)
    assert (helped.astype(int).sum() / plain.astype(int).sum()) < 0.7
