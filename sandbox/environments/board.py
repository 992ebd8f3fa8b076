"""Boards of square cells as 84x84 grey pictures: what most grid worlds show their agents."""

from typing import Literal

import numpy as np
from gymnasium import spaces

Observe = Literal["pixels", "features"]
PIXELS = spaces.Box(0, 255, (1, 84, 84), np.uint8)


class Board:
    """`background` [84, 84] is what stands around the cells and may be drawn on; the board lies in its middle."""

    def __init__(self, rows: int, columns: int, cell: int | None = None) -> None:
        self.cell = cell or 82 // max(rows, columns)  # pixels: a cell's side; a margin of a pixel for a frame
        self.top, self.left = (84 - rows * self.cell) // 2, (84 - columns * self.cell) // 2
        self.background = np.zeros((84, 84), np.uint8)
        self._rows, self._columns = rows, columns

    def frame(self, value: int) -> None:
        """Draw a line of one pixel around the board."""
        bottom, right = self.top + self._rows * self.cell, self.left + self._columns * self.cell
        self.background[self.top - 1 : bottom + 1, [self.left - 1, right]] = value
        self.background[[self.top - 1, bottom], self.left - 1 : right + 1] = value

    def pixels(self, cells: np.ndarray) -> np.ndarray:
        """Grey values [N, rows, columns] uint8 -> [N, 1, 84, 84] uint8."""
        count, (rows, columns) = len(cells), (self._rows, self._columns)
        pictures = np.empty((count, 84, 84), np.uint8)
        pictures[:] = self.background
        wide = np.repeat(cells, self.cell, axis=2)[:, :, None]
        inside = pictures[:, self.top : self.top + rows * self.cell].reshape(count, rows, self.cell, 84)
        inside[..., self.left : self.left + columns * self.cell] = wide
        return pictures[:, None]
