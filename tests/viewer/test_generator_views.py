"""Generators at work in a session, room by room."""

from itertools import count

import numpy as np
import pytest
import torch

from sandbox.storage.checkpoint import Checkpoints
from sandbox.viewer.checkpoint_player import CheckpointPlayer
from sandbox.viewer.game_session import Setting
from sandbox.viewer.generator_session import GeneratorSession
from sandbox.viewer.generator_views import ChainSamples, Live, Samples, Sliders
from sandbox.viewer.keys import Key
from sandbox.viewer.memory_repair import MemoryRepair
from sandbox.viewer.render import render


class Model:
    """Codes are twice the first two pixels of 2 by 2; its chains count; it remembers a diagonal and a row."""

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

    def dreaming(self, number):
        for n in count():
            yield torch.full((number, 1, 2, 2), n / 255)

    def memories(self):
        return torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]], [[[1.0, 1.0], [0.0, 0.0]]]])

    def recalling(self, images):
        yield images
        yield torch.zeros_like(images)
        yield self.memories()[:1]


IMAGES = torch.tensor([[0, 0], [0, 100], [100, 200], [100, 255]], dtype=torch.uint8).repeat(1, 2).view(4, 1, 2, 2)


@pytest.fixture
def visit(tmp_path):
    def visit(*rooms):
        trained = CheckpointPlayer({}, [Checkpoints(tmp_path / "checkpoints")], 7)
        return GeneratorSession(rooms, Setting("a run", folder=tmp_path), trained)

    return visit


def press(session, *names):
    for name in names:
        session.press(Key(name, True))
        session.press(Key(name, False))


def test_samples_are_new_on_a_key(visit):
    session = visit(Samples(Model().sample, (1, 2, 2)))
    before = session.view().picture
    np.testing.assert_array_equal(session.view().picture, before)
    press(session, "n")
    assert (session.view().picture != before).any()


def test_sliders_move_the_latents_that_matter_most(visit):
    session = visit(Sliders(Model(), IMAGES))
    (bars,) = session.view().panels
    assert (list(bars.names), bars.values.tolist(), bars.chosen) == (["z1", "z0"], [0.0, 0.0], 0)
    press(session, "right", "right", "down", "left", *["right"] * 20)
    (bars,) = session.view().panels
    assert (bars.values.tolist(), bars.chosen) == (pytest.approx([0.5, 3.0]), 1)
    codes = Model().encode(IMAGES)
    expected = (codes.mean(0) + torch.tensor([3.0, 0.5]) * codes.std(0, correction=0)) / 2
    shown = session.view().picture[0, :, 0] / 255
    assert shown == pytest.approx(expected.clamp(0, 1).numpy(), abs=0.01)
    press(session, "n", "n")
    assert session.view().picture[0, :, 0].tolist() == [0, 100]
    assert [panel.title for panel in session.view().panels] == ["latents, in standard deviations", "from"]
    press(session, "m")
    assert session.view().panels[0].values.tolist() == [0.0, 0.0]


def test_a_memory_is_scribbled_over_and_repaired(visit):
    session = visit(MemoryRepair(Model()))
    assert (session.view().picture[:, :, 0] > 0).tolist() == [[True, False], [False, True]]
    press(session, "f", "left", "f")
    assert (session.view().picture[:, :, 0] > 128).tolist()[0] == [True, False]
    press(session, "return")
    shown, now = [], 0.0
    for _ in range(12):
        now += session.wait(now)
        if session.tick(now):
            shown.append((session.view().panels[1].images[0] > 0).any())
    assert shown[-1] == np.False_  # nothing differs any more
    assert session.wait(now) == 0.2  # and nothing moves


def test_the_mouse_paints_strokes_of_one_colour(visit):
    session = visit(MemoryRepair(Model()))
    wide = high = 900
    session.picture(wide, high)
    left, right = find(session, wide, high)
    session.point(*left, True)  # white: it becomes black
    session.point(*right, True)  # black: it stays so
    assert session.view().picture[0, :, 0].tolist() == [0, 0]
    session.point(*right, False)
    session.point(*right, True)  # a new stroke: black becomes white
    assert session.view().picture[0, :, 0].tolist() == [0, 255]
    session.point(0, 0, True)  # beside the picture
    assert session.view().picture[0, :, 0].tolist() == [0, 255]


def find(session, wide, high):
    """The middles of the two upper pixels of the picture on the screen, whose diagonal is white."""
    shown = render(session.view(), wide, high)[:, : wide * 55 // 100].min(2)
    rows, columns = np.nonzero(shown > 250)
    top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
    y = (3 * top + bottom) // 4
    return ((3 * left + right) // 4, y), ((left + 3 * right) // 4, y)


def test_fantasies_go_on_and_live_games_are_reconstructed(visit):
    frames = (np.full((1, 1, 2, 2), n, np.uint8) for n in count())
    session = visit(ChainSamples(Model(), 1), Live(Model(), frames))
    first = session.view().picture.max()
    now = 0.0
    for _ in range(4):
        now += session.wait(now)
        session.tick(now)
    assert session.view().title == "a run · step 7 · fantasies"
    assert first == 96  # the frame's grey
    press(session, "tab")
    assert session.view().title == "a run · step 7 · live game"
    picture = session.view().picture[1:3, [1, 4], 0]
    assert picture.tolist() == [[0, 255], [0, 255]]
    press(session, "space")
    assert session.view().state == "paused"
    assert session.wait(now + 1) in (0.0, 0.2)


def test_help_screenshots_and_quitting(visit, tmp_path):
    session = visit(Samples(Model().sample, (1, 2, 2)))
    press(session, "h")
    assert dict(session.view().help[0]) == {"n": "new samples"}
    press(session, "h", "s")
    assert (tmp_path / "screenshot-001.png").exists()
    press(session, "c")
    assert dict(session.view().status) == {"checkpoint": "7"}
    press(session, "q")
    assert session.over
