"""Screens of Atari: shrunk to 84x84 by the exact area mean."""

import numpy as np
import pytest

from sandbox.envs._atari.screen import Downscaler


@pytest.mark.parametrize("height", [210, 214, 220, 230, 250])
def test_shrinking_is_the_exact_area_mean(looks_like, height: int) -> None:
    screens = np.random.default_rng(0).integers(0, 256, (3, height, 160)).astype(np.uint8)
    out = np.empty((3, 84, 84), np.uint8)
    Downscaler(height, 160)(screens, out)
    assert all(looks_like(small, screen) for small, screen in zip(out, screens, strict=True))
    Downscaler(height, 160)(np.full_like(screens, 255), out)
    assert (out == 255).all()


def test_shrinking_by_hand() -> None:
    """210 rows become 84, so five become two: the first is the mean of rows 0 and 1 and half of row 2."""
    screen = np.zeros((1, 210, 160), np.uint8)
    screen[0, 0], screen[0, 2], screen[0, 5] = 100, 50, 200
    out = np.empty((1, 84, 84), np.uint8)
    Downscaler(210, 160)(screen, out)
    assert out[0, :4, 40].tolist() == [50, 10, 80, 0]
