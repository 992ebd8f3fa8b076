"""The best way to give each of some rows a column of its own.

Paper: Kuhn 1955, "The Hungarian Method for the Assignment Problem", by shortest augmenting paths (Jonker & Volgenant
    1987): O(rows^2 columns).
"""

import numpy as np


def assigned(worth: np.ndarray) -> np.ndarray:
    """The column of each row, no two the same, that makes the sum of `worth` [R, C] largest: [R], -1 without one.

    Rows are left without a column where there are more rows than columns.
    """
    worth = np.asarray(worth, np.float64)
    if len(worth) > worth.shape[1]:
        rows = assigned(worth.T)
        columns = np.full(len(worth), -1)
        columns[rows] = np.arange(len(rows))
        return columns
    owners = np.full(worth.shape[1], -1)
    rows_price, columns_price = np.zeros(len(worth)), np.zeros(worth.shape[1])
    for new in range(len(worth)):
        _make_room(-worth, new, owners, rows_price, columns_price)
    columns = np.empty(len(worth), np.int64)
    columns[owners[owners >= 0]] = np.flatnonzero(owners >= 0)
    return columns


def _make_room(
    cost: np.ndarray, new: int, owners: np.ndarray, rows_price: np.ndarray, columns_price: np.ndarray
) -> None:
    """Give the row `new` a column, by the cheapest chain of moves of the others; prices keep cost - prices >= 0."""
    columns = cost.shape[1]
    distance, before, done = np.full(columns, np.inf), np.full(columns, -1), np.zeros(columns, bool)
    row, column, so_far = new, -1, 0.0
    while True:
        through = so_far + cost[row] - rows_price[row] - columns_price
        nearer = ~done & (through < distance)
        distance[nearer], before[nearer] = through[nearer], column
        column = int(np.where(done, np.inf, distance).argmin())
        so_far, done[column] = distance[column], True
        if owners[column] < 0:
            break
        row = owners[column]
    passed = done & (owners >= 0)
    rows_price[new] += so_far
    rows_price[owners[passed]] += so_far - distance[passed]
    columns_price[done] -= so_far - distance[done]
    while column >= 0:  # everyone on the chain moves on
        earlier = before[column]
        owners[column] = owners[earlier] if earlier >= 0 else new
        column = earlier
