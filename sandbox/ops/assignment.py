"""The assignment problem: the best way to give each row of a matrix a column of its own.

Paper: Kuhn 1955, "The Hungarian Method for the Assignment Problem", by shortest augmenting paths (Jonker & Volgenant
    1987): O(rows^2 columns).
"""

import numpy as np


def best_assignment(weights: np.ndarray) -> np.ndarray:
    """Return the column of each row, no two the same, that maximizes the sum of `weights` [R, C]: [R].

    With more rows than columns some rows have no column, which is -1.
    """
    weights = np.asarray(weights, np.float64)
    if len(weights) > weights.shape[1]:
        rows = best_assignment(weights.T)
        columns = np.full(len(weights), -1)
        columns[rows] = np.arange(len(rows))
        return columns
    owners = np.full(weights.shape[1], -1)  # row of each column
    row_prices, column_prices = np.zeros(len(weights)), np.zeros(weights.shape[1])
    for row in range(len(weights)):
        _augment(-weights, row, owners, row_prices, column_prices)
    columns = np.empty(len(weights), np.int64)
    columns[owners[owners >= 0]] = np.flatnonzero(owners >= 0)
    return columns


def _augment(
    cost: np.ndarray, new_row: int, owners: np.ndarray, row_prices: np.ndarray, column_prices: np.ndarray
) -> None:
    """Give `new_row` a column by the shortest augmenting path, in place; the prices keep cost - prices >= 0."""
    columns = cost.shape[1]
    distance, previous, done = np.full(columns, np.inf), np.full(columns, -1), np.zeros(columns, bool)
    row, column, length = new_row, -1, 0.0
    while True:  # Dijkstra's algorithm, to the nearest column without an owner
        through = length + cost[row] - row_prices[row] - column_prices
        nearer = ~done & (through < distance)
        distance[nearer], previous[nearer] = through[nearer], column
        column = int(np.where(done, np.inf, distance).argmin())
        length, done[column] = distance[column], True
        if owners[column] < 0:
            break
        row = owners[column]
    passed = done & (owners >= 0)
    row_prices[new_row] += length
    row_prices[owners[passed]] += length - distance[passed]
    column_prices[done] -= length - distance[done]
    while column >= 0:  # Each row on the path moves to the path's next column.
        earlier = previous[column]
        owners[column] = owners[earlier] if earlier >= 0 else new_row
        column = earlier
