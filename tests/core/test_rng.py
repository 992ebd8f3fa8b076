"""Names make generators; the checkpoint holds them all."""

import numpy as np
import torch

from sandbox.core.rng import Rng

CPU = torch.device("cpu")


def test_same_seed_and_name_same_numbers() -> None:
    a, b = Rng(3), Rng(3)
    b.numpy("other").random(5)  # neither other names nor their order matter
    assert a.numpy("x").random() == b.numpy("x").random()
    assert torch.equal(torch.rand(3, generator=a.torch("y", CPU)), torch.rand(3, generator=b.torch("y", CPU)))
    assert a.integer("x") != a.integer("z") != Rng(4).integer("z")


def test_asking_twice_gives_the_same_generator() -> None:
    rng = Rng(0)
    assert rng.numpy("x") is rng.numpy("x")
    assert rng.torch("x", CPU) is rng.torch("x", CPU)


def test_restored_generators_go_on_in_the_hands_of_their_holders() -> None:
    rng = Rng(0)
    numpy, pytorch = rng.numpy("a"), rng.torch("b", CPU)
    numpy.random(3), torch.rand(3, generator=pytorch)
    saved = rng.state_dict()
    expected = numpy.random(), torch.rand(1, generator=pytorch)
    other = Rng(0)
    held = other.numpy("a")
    other.load_state_dict(saved)
    assert held.random() == expected[0]
    assert torch.equal(torch.rand(1, generator=other.torch("b", CPU)), expected[1])


def test_initialising_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    with Rng(0).initializing("net"):
        first = torch.rand(1)
    assert torch.equal(torch.rand(1), expected)
    with Rng(0).initializing("net"):
        assert torch.equal(torch.rand(1), first)
    assert not np.array_equal(first.numpy(), expected.numpy())
