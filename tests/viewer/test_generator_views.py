"""Sessions that show a generator, view by view."""

from itertools import count

import numpy as np
import pytest
import torch

from sandbox.storage.checkpoint import Checkpoints
from sandbox.viewer.checkpoint_player import CheckpointPlayer
from sandbox.viewer.generator_session import GeneratorSession
from sandbox.viewer.generator_views import ChainSamples, LiveReconstruction, Samples, Sliders
from sandbox.viewer.keys import Key
from sandbox.viewer.memory_repair import MemoryRepair
from sandbox.viewer.render import render, slider_at
from sandbox.viewer.session_settings import SessionSettings


class Model:
    """A model of 2x2 images: codes are twice the first two pixels, chains count up, two patterns are stored."""

    def encode(self, images):
        return images.float().flatten(1)[:, :2] / 255 * 2

    def decode(self, codes):
        pixels = torch.zeros(len(codes), 1, 2, 2)
        pixels.flatten(1)[:, :2] = codes / 2
        return pixels

    def reconstruct(self, images):
        return 1 - images.float() / 255

    def sample(self, count):
        return torch.rand(count, 1, 2, 2)

    def gibbs_chain(self, number):
        for n in count():
            yield torch.full((number, 1, 2, 2), n / 255)

    def stored_patterns(self):
        return torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]], [[[1.0, 1.0], [0.0, 0.0]]]])

    def recall_steps(self, images):
        yield images
        yield torch.zeros_like(images)
        yield self.stored_patterns()[:1]


IMAGES = torch.tensor([[0, 0], [0, 100], [100, 200], [100, 255]], dtype=torch.uint8).repeat(1, 2).view(4, 1, 2, 2)


@pytest.fixture
def show(tmp_path):
    def show(*views):
        checkpoints = CheckpointPlayer({}, [Checkpoints(tmp_path / "checkpoints")], 7)
        return GeneratorSession(views, SessionSettings("a run", folder=tmp_path), checkpoints)

    return show


def press(session, *names):
    for name in names:
        session.handle_key(Key(name, True))
        session.handle_key(Key(name, False))


def test_samples_are_new_on_a_key(show):
    session = show(Samples(Model().sample, (1, 2, 2)))
    before = session.view().frame
    np.testing.assert_array_equal(session.view().frame, before)
    press(session, "n")
    assert (session.view().frame != before).any()


def test_sliders_move_the_latents_that_matter_most(show):
    session = show(Sliders(Model(), IMAGES))
    (bars,) = session.view().panels
    assert (list(bars.names), bars.values.tolist(), bars.chosen) == (["z1", "z0"], [0.0, 0.0], 0)
    press(session, "right", "right", "down", "left", *["right"] * 20)
    (bars,) = session.view().panels
    assert (bars.values.tolist(), bars.chosen) == (pytest.approx([0.5, 3.0]), 1)
    codes = Model().encode(IMAGES)
    expected = (codes.mean(0) + torch.tensor([3.0, 0.5]) * codes.std(0, correction=0)) / 2
    shown = session.view().frame[0, :, 0] / 255
    assert shown == pytest.approx(expected.clamp(0, 1).numpy(), abs=0.01)
    press(session, "n", "n")
    assert session.view().frame[0, :, 0].tolist() == [0, 100]
    assert [panel.title for panel in session.view().panels] == ["latents, in standard deviations", "from"]
    press(session, "m")
    assert session.view().panels[0].values.tolist() == [0.0, 0.0]


def test_the_mouse_moves_sliders(show):
    """Each place on the bar of a slider sets its value; a slider stays grabbed until the button is released."""
    session = show(Sliders(Model(), IMAGES))
    size = (1280, 800)
    session.render(*size)
    found, view = {}, session.view()
    for y in range(60, 200, 10):
        for x in range(900, 1280, 10):
            if (at := slider_at(view, size, 1.0, x, y)) is not None:
                found.setdefault(at[0], []).append((at[1], x, y))
    assert {row: (min(places)[0], max(places)[0]) for row, places in found.items()} == {0: (-3, 3), 1: (-3, 3)}
    value, x, y = min(found[1], key=lambda place: abs(place[0] - 1.5))
    session.handle_pointer(x, y, True)
    (bars,) = session.view().panels
    assert (bars.chosen, bars.values.tolist()) == (1, pytest.approx([0.0, value]))
    _, other_x, other_y = max(found[0])
    session.handle_pointer(other_x, other_y, True)
    (bars,) = session.view().panels
    assert (bars.chosen, bars.values.tolist()) == (1, pytest.approx([0.0, 3.0]))
    session.handle_pointer(other_x, other_y, False)
    session.handle_pointer(other_x, other_y, True)
    assert session.view().panels[0].values.tolist() == pytest.approx([3.0, 3.0])


def test_help_stops_an_animation_and_escape_closes_it(show):
    session = show(ChainSamples(Model(), 1))
    press(session, "h")
    assert session.view().card is not None
    session.update(0.0)
    before = session.view().frame
    session.update(10.0)
    np.testing.assert_array_equal(session.view().frame, before)
    press(session, "escape")
    assert (session.view().card, session.quit_requested) == (None, False)


def test_a_pattern_is_drawn_on_and_restored(show):
    session = show(MemoryRepair(Model()))
    assert (session.view().frame[:, :, 0] > 0).tolist() == [[True, False], [False, True]]
    press(session, "f", "left", "f")
    assert (session.view().frame[:, :, 0] > 128).tolist()[0] == [True, False]
    press(session, "return")
    shown, now = [], 0.0
    for _ in range(12):
        now += session.timeout(now)
        if session.update(now):
            shown.append((session.view().panels[1].images[0] > 0).any())
    assert shown[-1] == np.False_  # every pixel is restored
    assert session.timeout(now) == 0.2  # and nothing moves


def test_the_mouse_draws_strokes_of_one_color(show):
    session = show(MemoryRepair(Model()))
    wide = high = 900
    session.render(wide, high)
    left, right = upper_pixels(session, wide, high)
    session.handle_pointer(*left, True)  # white: it becomes black
    session.handle_pointer(*right, True)  # black: it stays so
    assert session.view().frame[0, :, 0].tolist() == [0, 0]
    session.handle_pointer(*right, False)
    session.handle_pointer(*right, True)  # a new stroke: black becomes white
    assert session.view().frame[0, :, 0].tolist() == [0, 255]
    session.handle_pointer(0, 0, True)  # outside the frame
    assert session.view().frame[0, :, 0].tolist() == [0, 255]


def upper_pixels(session, wide, high):
    """Return the positions on the screen of the pattern's two upper pixels; its diagonal is white."""
    shown = render(session.view(), wide, high)[:, : wide * 55 // 100].min(2)
    rows, columns = np.nonzero(shown > 250)
    top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
    y = (3 * top + bottom) // 4
    return ((3 * left + right) // 4, y), ((left + 3 * right) // 4, y)


def test_chains_run_on_and_observations_are_reconstructed(show):
    frames = (np.full((1, 1, 2, 2), n, np.uint8) for n in count())
    session = show(ChainSamples(Model(), 1), LiveReconstruction(Model(), frames))
    first = session.view().frame.max()
    now = 0.0
    for _ in range(4):
        now += session.timeout(now)
        session.update(now)
    assert session.view().title == "a run · step 7 · Gibbs chain"
    assert first == 96  # the border's gray
    press(session, "tab")
    assert session.view().title == "a run · step 7 · live reconstruction"
    frame = session.view().frame[1:3, [1, 4], 0]
    assert frame.tolist() == [[0, 255], [0, 255]]
    press(session, "space")
    assert session.view().playback == "paused"
    assert session.timeout(now + 1) in (0.0, 0.2)


def test_help_screenshots_and_quitting(show, tmp_path):
    session = show(Samples(Model().sample, (1, 2, 2)))
    press(session, "h")
    assert dict(session.view().card.columns[0]) == {"n": "new samples"}
    press(session, "h", "s")
    assert (tmp_path / "screenshot-001.png").exists()
    press(session, "c")
    assert dict(session.view().status) == {"checkpoint": "7"}
    press(session, "q")
    assert session.quit_requested
