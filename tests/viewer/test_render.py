"""The renderer: positions and sizes, for all sizes of windows and frames."""

import numpy as np
import pytest

from sandbox.viewer._layout import layout_of
from sandbox.viewer.render import position_in_frame, render
from sandbox.viewer.view import Bars, Card, Images, Strip, View

RNG = np.random.default_rng(0)
SIZES = {"grid_world": (5, 5), "board": (440, 240), "atari": (210, 160), "wide": (80, 600), "huge": (900, 1200)}
PANELS = (
    Bars("values", ["left", "a name that is far too long for its place"], np.array([1.0, -2.0]), -2.0, 1.0, 0),
    Strip("state", [RNG.normal(size=512), RNG.normal(size=40)]),
    Images("input", RNG.integers(0, 256, (4, 84, 84), np.uint8)),
    Images("attention", RNG.integers(0, 256, (1, 84, 84), np.uint8), RNG.random((1, 7, 7))),
    Bars("many", [str(n) for n in range(18)], RNG.normal(size=18), -3.0, 3.0, 4),
)
GREEN = (1, 254, 3)


def green(name):
    return np.full((*SIZES[name], 3), GREEN, np.uint8)


def found(image):
    """Return the rectangle (top, bottom, left, right) of the green frame, which must be unbroken."""
    rows, columns = np.nonzero((image == GREEN).all(2))
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    assert (image[top:bottom, left:right] == GREEN).all()
    return top, bottom, left, right


@pytest.mark.parametrize("size", [(820, 600), (1280, 800), (2560, 1440), (900, 1400)])
@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("panels", [(), PANELS])
def test_nothing_overlaps_the_frame(name, size, panels):
    status = [("return", "-123.45"), ("step", "10000"), ("seed", "12"), ("epsilon", "0.05")]
    view = View(green(name), "a long name of a run · step 1,000,000", "paused", status, [("h", "help")], panels)
    image = render(view, *size)
    assert (image.shape, image.dtype) == ((size[1], size[0], 3), np.uint8)
    top, bottom, left, right = found(image)
    height, width = SIZES[name]
    assert (right - left) / (bottom - top) == pytest.approx(width / height, rel=0.05)
    without = render(View(green(name), panels=panels), *size)
    assert found(without) == (top, bottom, left, right)  # text moves nothing
    assert (image[:, :left] == without[:, :left])[top:bottom].all()


def test_pixels_are_enlarged_by_a_whole_number():
    frame = RNG.integers(0, 256, (84, 84, 3), np.uint8)
    image = render(View(frame), 1280, 800)
    scale = 8
    rows = [n for n in range(800) if (image[n, 304 : 304 + 84 * scale : scale] == frame[0]).all()]
    assert len(rows) == scale
    block = image[rows[0] : rows[0] + 84 * scale, 304 : 304 + 84 * scale]
    np.testing.assert_array_equal(block, frame.repeat(scale, 0).repeat(scale, 1))


def test_a_small_window_shows_everything_smaller():
    assert render(View(green("board"), panels=PANELS), 320, 200).shape == (200, 320, 3)


def test_positions_in_the_frame():
    view = View(green("grid_world"), panels=PANELS)
    for size in ((1280, 800), (400, 300)):
        image = render(view, *size)
        rows, columns = np.nonzero((image == GREEN).all(2))
        top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        x, y = position_in_frame(view, size, 1.0, (left + right) // 2, (top + bottom) // 2)
        assert (x, y) == (pytest.approx(0.5, abs=0.01), pytest.approx(0.5, abs=0.01))
        assert position_in_frame(view, size, 1.0, left - 3, top) is None


@pytest.mark.parametrize("size", [(1440, 900), (400, 300), (390, 500), (320, 240)])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_no_text_is_smaller_than_thirteen_pixels_of_a_usual_screen(size, scale):
    layout = layout_of(View(green("atari"), panels=PANELS), round(size[0] * scale), round(size[1] * scale), scale)
    assert (layout.width, layout.height) == (size[0] * scale, size[1] * scale)
    assert layout.font >= 13 * scale
    frame = layout.frame
    assert frame.left >= 0
    assert layout.bar <= frame.top
    assert frame.top + frame.height <= layout.height - layout.bar


def test_panels_that_have_no_room_are_said_to_be_missing():
    plain = render(View(green("board")), 400, 300)
    image = render(View(green("board"), panels=PANELS), 400, 300)
    changed = np.nonzero((plain != image).any((1, 2)))[0]
    assert 0 < changed.max() < 30


def test_values_that_differ_little_have_bars_that_differ_little():
    bars = Bars("values", ["one", "two"], np.array([1.13, 1.08]), 0.0, 1.13, 0)
    image = render(View(green("board"), panels=[bars]), 1280, 800).astype(int)
    coral = (np.abs(image - (255, 127, 102)).sum(2) < 10).sum(1)
    faint = (np.abs(image - (62, 73, 108)).sum(2) < 10).sum(1)
    assert faint.max() / coral.max() == pytest.approx(1.08 / 1.13, abs=0.02)


def test_bars_of_negative_values_begin_at_zero_on_the_right():
    bars = Bars("values", ["one", "two"], np.array([-1.0, -4.0]), -4.0, 0.0, 0)
    image = render(View(green("board"), panels=[bars]), 1280, 800).astype(int)
    coral, faint = (
        np.nonzero((np.abs(image - color).sum(2) < 10).any(0))[0] for color in ((255, 127, 102), (62, 73, 108))
    )
    assert coral.max() == pytest.approx(faint.max(), abs=2)
    assert (faint.max() - faint.min()) > 3 * (coral.max() - coral.min())


def test_bars_are_as_long_as_their_values():
    bars = Bars("values", ["one", "two"], np.array([1.0, 3.0]), 0.0, 4.0, 1)
    image = render(View(green("board"), panels=[bars]), 1280, 800).astype(int)
    coral = (np.abs(image - (255, 127, 102)).sum(2) < 10).sum(1)
    faint = (np.abs(image - (62, 73, 108)).sum(2) < 10).sum(1)
    assert coral.max() == pytest.approx(3 * faint.max(), rel=0.05)


def test_bars_start_at_zero_inside_the_scale():
    bars = Bars("values", ["one"], np.array([-1.0]), -1.0, 1.0, 0)
    image = render(View(green("board"), panels=[bars]), 1280, 800).astype(int)
    columns = np.nonzero((np.abs(image - (255, 127, 102)).sum(2) < 10).any(0))[0]
    track = np.nonzero((np.abs(image - (38, 47, 78)).sum(2) < 3).sum(0) > 4)[0]
    assert columns.max() <= (columns.min() + track.max()) / 2 + 2


@pytest.mark.parametrize("size", [(1280, 800), (400, 300)])
def test_a_banner_covers_nothing_but_the_title(size):
    plain = render(View(green("board")), *size)
    banner = render(View(green("board"), banner="return 1"), *size)
    assert found(plain) == found(banner)
    assert np.nonzero((plain != banner).any((1, 2)))[0].max() < found(plain)[0]


def test_a_card_covers_the_frame():
    plain = render(View(green("board")), 1280, 800)
    helped = render(
        View(green("board"), card=Card("Catch", ["Be quick."], [[("h", "help")], [("q", "quit")]])), 1280, 800
    )
    assert (helped.astype(int).sum() / plain.astype(int).sum()) < 0.7
