"""Names make generators; the checkpoint holds them all."""

import numpy as np
import pytest
import torch

from sandbox.core.rng import Rng

CPU = torch.device("cpu")


def test_same_seed_and_name_same_numbers() -> None:
    a, b = Rng(3), Rng(3)
    b.numpy("other").random(5)  # neither other names nor their order matter
    assert a.numpy("x").random() == b.numpy("x").random()
    assert torch.equal(torch.rand(3, generator=a.torch("y", CPU)), torch.rand(3, generator=b.torch("y", CPU)))
    assert a.integer("x") != a.integer("z") != Rng(4).integer("z")


def test_a_name_has_one_owner() -> None:
    rng = Rng(0)
    rng.numpy("x"), rng.torch("x", CPU), rng.child("a").numpy("x")
    with pytest.raises(ValueError, match="the NumPy stream 'x' has an owner already"):
        rng.numpy("x")
    with pytest.raises(ValueError, match="the PyTorch stream 'x' has an owner already"):
        rng.torch("x", CPU)
    with pytest.raises(ValueError, match="the NumPy stream 'a/x' has an owner already"):
        rng.numpy("a/x")


def test_names_of_children_are_joined() -> None:
    child = Rng(3).child("a").child("b")
    assert child.numpy("x").random() == Rng(3).numpy("a/b/x").random()
    assert child.integer("x") == Rng(3).integer("a/b/x")
    with child.initializing("net"):
        ours = torch.rand(1)
    with Rng(3).initializing("a/b/net"):
        assert torch.equal(torch.rand(1), ours)


def test_separate_streams_are_the_same_and_not_saved() -> None:
    rng = Rng(3)
    held, apart = rng.child("a").numpy("x"), rng.child("a").separate()
    assert apart.numpy("x").random() == held.random()
    assert apart.integer("y") == rng.integer("a/y")
    assert list(rng.state_dict()["numpy"]) == ["a/x"]


def test_the_streams_of_children_are_saved_with_the_roots() -> None:
    rng, other = Rng(0), Rng(0)
    held = rng.child("a").numpy("x")
    held.random(5)
    theirs = other.child("a").numpy("x")
    other.load_state_dict(rng.state_dict())
    assert theirs.random() == held.random()


def test_a_stream_restored_before_its_owner_asks_goes_on() -> None:
    rng, other = Rng(0), Rng(0)
    held = rng.numpy("x")
    held.random(5)
    other.load_state_dict(rng.state_dict())
    assert other.numpy("x").random() == held.random()


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


CUDA_STATE = torch.arange(16, dtype=torch.uint8)  # a generator's on CUDA: seed and offset


@pytest.mark.parametrize("owner_first", [True, False])
def test_a_stream_from_a_gpu_begins_anew_on_a_cpu_and_says_so(owner_first: bool) -> None:
    def drawn(saved: torch.Tensor) -> list[float]:
        rng = Rng(0)
        generator = rng.torch("a", CPU) if owner_first else None
        rng.load_state_dict({"numpy": {}, "torch": {"a": ("cuda:0", saved)}})
        assert rng.moved == "cuda to cpu"
        return torch.rand(3, generator=generator or rng.torch("a", CPU)).tolist()

    first = drawn(CUDA_STATE)
    assert first == drawn(CUDA_STATE) != drawn(CUDA_STATE + 1)
    assert first != torch.rand(3, generator=Rng(0).torch("a", CPU)).tolist()  # not from the run's start again


def test_initializing_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    with Rng(0).initializing("net"):
        first = torch.rand(1)
    assert torch.equal(torch.rand(1), expected)
    with Rng(0).initializing("net"):
        assert torch.equal(torch.rand(1), first)
    assert not np.array_equal(first.numpy(), expected.numpy())
