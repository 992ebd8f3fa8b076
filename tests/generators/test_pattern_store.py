"""What a Hopfield network keeps: each pattern once, in the order they come, until the room is full."""

import torch

from sandbox.generators._boltzmann.pattern_store import Memory

A, B, C, D = torch.tensor([[1.0, 1, 1, -1], [1, -1, 1, 1], [-1, -1, 1, 1], [0.5, 0, 1, 0]])


def test_each_once_in_order_until_full() -> None:
    memory = Memory(3, 4)
    assert memory.kept().shape == (0, 4)
    memory.keep(torch.stack([B, A, B]))
    assert torch.equal(memory.kept(), torch.stack([B, A]))
    memory.keep(torch.stack([A, C, D, C]))
    full = torch.stack([B, A, C])
    assert torch.equal(memory.kept(), full)
    memory.keep(torch.stack([D, A]))
    assert torch.equal(memory.kept(), full)


def test_empty_room_is_no_pattern() -> None:
    """Grey everywhere is zeros, as an empty place is; it is kept all the same."""
    memory = Memory(3, 4)
    memory.keep(torch.zeros(2, 4))
    assert int(memory.count) == 1


def test_patterns_that_differ_by_one_grey_level_are_two() -> None:
    memory, grey = Memory(5, 784), torch.rand(784, generator=torch.Generator().manual_seed(0)) * 2 - 1
    other = grey.clone()
    other[700] += 2 / 255
    memory.keep(torch.stack([grey, other, grey]))
    assert torch.equal(memory.kept(), torch.stack([grey, other]))


def test_more_than_there_is_room_for_at_once() -> None:
    memory = Memory(2, 4)
    memory.keep(torch.stack([A, A, B, C]))
    assert torch.equal(memory.kept(), torch.stack([A, B]))
