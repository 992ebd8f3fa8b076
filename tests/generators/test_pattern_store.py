"""The pattern store: each pattern once, in the order of arrival, until it is full."""

import torch

from sandbox.generators._boltzmann.pattern_store import PatternStore

A, B, C, D = torch.tensor([[1.0, 1, 1, -1], [1, -1, 1, 1], [-1, -1, 1, 1], [0.5, 0, 1, 0]])


def test_each_once_in_order_until_full() -> None:
    store = PatternStore(3, 4)
    assert store.stored().shape == (0, 4)
    store.add(torch.stack([B, A, B]))
    assert torch.equal(store.stored(), torch.stack([B, A]))
    store.add(torch.stack([A, C, D, C]))
    full = torch.stack([B, A, C])
    assert torch.equal(store.stored(), full)
    store.add(torch.stack([D, A]))
    assert torch.equal(store.stored(), full)


def test_empty_room_is_no_pattern() -> None:
    """A gray pattern is all zeros, like an empty place, and is stored nevertheless."""
    store = PatternStore(3, 4)
    store.add(torch.zeros(2, 4))
    assert int(store.count) == 1


def test_patterns_that_differ_by_one_gray_level_are_two() -> None:
    store, gray = PatternStore(5, 784), torch.rand(784, generator=torch.Generator().manual_seed(0)) * 2 - 1
    other = gray.clone()
    other[700] += 2 / 255
    store.add(torch.stack([gray, other, gray]))
    assert torch.equal(store.stored(), torch.stack([gray, other]))


def test_more_than_there_is_room_for_at_once() -> None:
    store = PatternStore(2, 4)
    store.add(torch.stack([A, A, B, C]))
    assert torch.equal(store.stored(), torch.stack([A, B]))
