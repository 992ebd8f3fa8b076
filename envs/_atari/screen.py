"""Atari's screens, shrunk to 84x84 by the exact mean over the area each small pixel covers, as OpenCV's INTER_AREA."""

from math import gcd

import numpy as np

SIDE = 84


def _overlaps(length: int) -> tuple[int, np.ndarray]:
    """How often the pattern repeats along `length` pixels, and one pattern [length / n, 84 / n].

    Its entries are whole numbers, so that float32 sums of them are exact and their order does not matter.
    """
    repeats = gcd(length, SIDE)
    old, new = np.arange(length // repeats)[:, None] * SIDE, np.arange(SIDE // repeats) * length
    covered = np.minimum(old + SIDE, new + length) - np.maximum(old, new)
    return repeats, (covered.clip(0) // repeats).astype(np.float32)


class Shrink:
    """[N, height, width] uint8 -> [N, 84, 84] uint8, rounded."""

    def __init__(self, height: int, width: int) -> None:
        (self._rows, down), (self._columns, self._across) = _overlaps(height), _overlaps(width)
        self._down = np.ascontiguousarray(down.T)
        self._scale = np.float32(1 / (self._down[0].sum() * self._across[:, 0].sum()))

    def __call__(self, screens: np.ndarray, out: np.ndarray) -> None:
        count, height, width = screens.shape
        tall = screens.reshape(count, self._rows, height // self._rows, width).astype(np.float32)
        flat = (self._down @ tall).reshape(count, SIDE, self._columns, width // self._columns)
        small = flat.transpose(0, 2, 1, 3) @ self._across
        small *= self._scale
        small += np.float32(0.5)
        out.reshape(count, SIDE, self._columns, -1)[...] = small.transpose(0, 2, 1, 3)
