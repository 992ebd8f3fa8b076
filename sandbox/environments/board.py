"""Boards of square cells as 84x84 gray images: the observation of most grid worlds."""

from typing import Literal

import numpy as np
from gymnasium import spaces

Observe = Literal["pixels", "features"]
SIDE = 84  # Height and width of an image in pixels.
PIXELS = spaces.Box(0, 255, (1, SIDE, SIDE), np.uint8)


class Board:
    """A board of `rows` x `columns` cells in the middle of an image.

    Attributes:
        cell: Side of a cell in pixels.
        top: Row of the image at which the board begins.
        left: Column of the image at which the board begins.
        background: The image around the cells, [84, 84] uint8; it may be changed before the first `pixels`.
    """

    def __init__(self, rows: int, columns: int, cell: int | None = None) -> None:
        """Lay out the board; without `cell`, cells are as large as a margin of one pixel permits."""
        self.cell = cell or (SIDE - 2) // max(rows, columns)
        self.top = (SIDE - rows * self.cell) // 2
        self.left = (SIDE - columns * self.cell) // 2
        self.background = np.zeros((SIDE, SIDE), np.uint8)
        self._rows, self._columns = rows, columns

    def frame(self, value: int) -> None:
        """Surround the board with a line of one pixel, in the gray value `value`."""
        bottom, right = self.top + self._rows * self.cell, self.left + self._columns * self.cell
        self.background[self.top - 1 : bottom + 1, [self.left - 1, right]] = value
        self.background[[self.top - 1, bottom], self.left - 1 : right + 1] = value

    def sides(self, value: int) -> None:
        """Put a line of one pixel at the left and right side of the board, in the gray value `value`."""
        bottom, right = self.top + self._rows * self.cell, self.left + self._columns * self.cell
        self.background[self.top : bottom, [self.left - 1, right]] = value

    def pixels(self, cells: np.ndarray) -> np.ndarray:
        """Enlarge the gray values of cells [N, rows, columns] to images [N, 1, 84, 84], uint8."""
        count, (rows, columns) = len(cells), (self._rows, self._columns)
        images = np.empty((count, SIDE, SIDE), np.uint8)
        images[:] = self.background
        wide = np.repeat(cells, self.cell, axis=2)[:, :, None]
        inside = images[:, self.top : self.top + rows * self.cell].reshape(count, rows, self.cell, SIDE)
        inside[..., self.left : self.left + columns * self.cell] = wide
        return images[:, None]
