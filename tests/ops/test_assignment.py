"""Each row a column of its own: by hand, and against all ways there are."""

from itertools import permutations

import numpy as np

from sandbox.ops.assignment import best_assignment


def test_the_second_best_is_taken_where_the_best_is_dearer_to_another() -> None:
    """9 + 8 is less than 8 + 10: row 0 leaves its favourite."""
    assert best_assignment(np.array([[9, 8], [10, 8]])).tolist() == [1, 0]


def test_it_is_the_best_of_all_ways() -> None:
    generator = np.random.default_rng(0)
    for rows, columns in [(4, 4), (3, 5), (5, 5), (1, 1)] * 10:
        worth = generator.integers(0, 12, (rows, columns))
        best = max(sum(worth[range(rows), list(way)]) for way in permutations(range(columns), rows))
        found = best_assignment(worth)
        assert len(set(found.tolist())) == rows
        assert worth[range(rows), found].sum() == best


def test_rows_that_are_too_many_go_without() -> None:
    assert best_assignment(np.array([[3], [5], [4]])).tolist() == [-1, 0, -1]
