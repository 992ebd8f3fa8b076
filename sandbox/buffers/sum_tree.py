"""A sum tree: proportional sampling and changes of priorities in O(log n).

Paper: Schaul, Quan, Antonoglou & Silver 2016, "Prioritized Experience Replay", appendix B.2.1.
Deviations: none. Sums are float64 and are computed anew from their two parts instead of being adjusted, so that
    rounding errors do not accumulate.
"""

import numpy as np


class SumTree:
    """A tree of `size` values >= 0, initially 0; its methods work on arrays of places and values."""

    def __init__(self, size: int) -> None:
        self._size, self._first = size, 1 << (size - 1).bit_length()
        self._nodes = np.zeros(2 * self._first)  # node i is the sum of 2i and 2i + 1; the values begin at `_first`

    @property
    def values(self) -> np.ndarray:
        """All values, [size]; read only."""
        return self._nodes[self._first : self._first + self._size]

    @property
    def total(self) -> float:
        """The sum of all values."""
        return float(self._nodes[1])

    def write(self, places: np.ndarray, values: np.ndarray | float) -> None:
        """Set the values at `places` [B]; a place that occurs twice gets the last of its values."""
        nodes = self._first + places
        self._nodes[nodes] = values
        while len(nodes) and nodes[0] > 1:
            nodes = nodes >> 1
            self._nodes[nodes] = self._nodes[2 * nodes] + self._nodes[2 * nodes + 1]

    def fill(self, values: np.ndarray) -> None:
        """Set all `size` values."""
        self._nodes[self._first : self._first + self._size] = values
        last = 2 * self._first
        while last > 2:
            pairs = self._nodes[last // 2 : last].reshape(-1, 2)
            last //= 2
            self._nodes[last // 2 : last] = pairs[:, 0] + pairs[:, 1]

    def find(self, sums: np.ndarray) -> np.ndarray:
        """Return the places [B] at which the running sum exceeds `sums` [B], each in [0, total); never a zero's."""
        nodes, rest = np.ones(len(sums), np.int64), sums.copy()
        while len(nodes) and nodes[0] < self._first:
            left, right = self._nodes[2 * nodes], self._nodes[2 * nodes + 1]
            beyond = (rest >= left) & (right > 0)  # rounding may leave more than the last value: stay inside
            rest -= np.where(beyond, left, 0.0)
            nodes = 2 * nodes + beyond
        return nodes - self._first
