"""Atari's screens, shrunk to 84x84 by the exact mean over the area of each small pixel, as OpenCV's INTER_AREA does."""

from math import gcd

import numpy as np

from sandbox.environments.board import SIDE


def _overlaps(length: int) -> tuple[int, np.ndarray]:
    """Return how much every pixel contributes to every small pixel, along one axis of `length` pixels.

    The entries are integers, so that their float32 sums are exact in any order.

    Returns:
        The number of times n that the pattern repeats, and one pattern [length / n, 84 / n].
    """
    repeats = gcd(length, SIDE)
    old, new = np.arange(length // repeats)[:, None] * SIDE, np.arange(SIDE // repeats) * length
    covered = np.minimum(old + SIDE, new + length) - np.maximum(old, new)
    return repeats, (covered.clip(0) // repeats).astype(np.float32)


class Downscaler:
    """Shrinks screens of a fixed size to 84x84."""

    def __init__(self, height: int, width: int) -> None:
        self._row_repeats, down = _overlaps(height)
        self._column_repeats, self._across = _overlaps(width)
        self._down = np.ascontiguousarray(down.T)
        self._scale = np.float32(1 / (self._down[0].sum() * self._across[:, 0].sum()))

    def __call__(self, screens: np.ndarray, out: np.ndarray) -> None:
        """Shrink screens [N, height, width] into `out` [N, 84, 84], uint8, rounded."""
        count, height, width = screens.shape
        rows = screens.reshape(count, self._row_repeats, height // self._row_repeats, width).astype(np.float32)
        lower = (self._down @ rows).reshape(count, SIDE, self._column_repeats, width // self._column_repeats)
        small = lower.transpose(0, 2, 1, 3) @ self._across
        small *= self._scale
        small += np.float32(0.5)
        out.reshape(count, SIDE, self._column_repeats, -1)[...] = small.transpose(0, 2, 1, 3)
