"""The sum tree against a plain array."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.buffers.sum_tree import SumTree


@settings(max_examples=100, deadline=None)
@given(size=st.integers(1, 70), writes=st.integers(0, 20), seed=st.integers(0, 10_000))
def test_it_is_an_array_with_a_running_sum(size: int, writes: int, seed: int) -> None:
    """Whole numbers, so that sums are exact; writes of many places at once, some of them named twice."""
    random = np.random.default_rng(seed)
    tree, array = SumTree(size), np.zeros(size)
    for _ in range(writes):
        places, values = random.integers(size, size=5), random.integers(0, 4, size=5).astype(float)
        tree.write(places, values)
        for place, value in zip(places, values, strict=True):
            array[place] = value
    assert tree.values.tolist() == array.tolist()
    assert tree.total == array.sum()
    if tree.total:
        sums = np.concatenate([np.arange(tree.total), random.random(20) * tree.total])
        found = tree.find(sums)
        assert found.tolist() == np.searchsorted(array.cumsum(), sums, side="right").tolist()
        assert (array[found] > 0).all()
    whole = SumTree(size)
    whole.fill(array)
    assert np.array_equal(whole._nodes, tree._nodes)


def test_sums_do_not_drift() -> None:
    """After large values have come and gone, the sums are those of a tree that never held them."""
    random, tree = np.random.default_rng(0), SumTree(1000)
    for _ in range(300):
        tree.write(random.integers(1000, size=32), 10.0 ** random.uniform(-12, 12, size=32))
    small = random.random(1000) * 1e-6
    tree.write(np.arange(1000), small)
    fresh = SumTree(1000)
    fresh.fill(small)
    assert np.array_equal(tree._nodes, fresh._nodes)
    assert abs(tree.total / small.sum() - 1) < 1e-14


def test_rounding_never_leads_to_a_zero() -> None:
    """The largest sums there are, over values that do not add up exactly, beside zeros."""
    random = np.random.default_rng(1)
    for _ in range(200):
        size = int(random.integers(1, 40))
        values = np.where(random.random(size) < 0.5, 10.0 ** random.uniform(-9, 3, size), 0.0)
        values[random.integers(size)] = 0.1
        tree = SumTree(size)
        tree.fill(values)
        sums = np.array([0.0, np.nextafter(tree.total, 0), tree.total, tree.total * (1 + 1e-15)])
        assert (values[tree.find(sums)] > 0).all()


@pytest.mark.parametrize(("size", "nodes"), [(1, 2), (5, 16), (8, 16), (9, 32)])
def test_it_is_no_larger_than_it_must_be(size: int, nodes: int) -> None:
    """Twice as many nodes as values, rounded up to a power of two."""
    whole = SumTree(size).values.base
    assert whole is not None
    assert whole.size == nodes
