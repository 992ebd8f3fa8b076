"""Hopfield networks by hand and against theorems: zero diagonal, symmetry, an energy that never rises."""

import math
from collections.abc import Callable

import pytest
import torch

from sandbox.ops import hopfield

STORAGES = [hopfield.hebbian, hopfield.projection]


def signs(count: int, units: int, seed: int = 0) -> torch.Tensor:
    draws = torch.rand(count, units, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.where(draws < 0.5, -1.0, 1.0).double()


def test_hebbian_by_hand() -> None:
    """Two patterns of three units: each product of two units, summed, over N = 3."""
    weight = hopfield.hebbian(torch.tensor([[1.0, 1.0, -1.0], [1.0, -1.0, -1.0]]))
    torch.testing.assert_close(weight, torch.tensor([[0.0, 0.0, -2.0], [0.0, 0.0, 0.0], [-2.0, 0.0, 0.0]]) / 3)


def test_projection_by_hand() -> None:
    """One pattern of N units: X^+ X = x x^T / N. Two that are the same: no more than one."""
    x = signs(1, 5)
    by_hand = (x.T @ x / 5).fill_diagonal_(0)
    torch.testing.assert_close(hopfield.projection(x), by_hand)
    torch.testing.assert_close(hopfield.projection(x.repeat(3, 1)), by_hand)
    torch.testing.assert_close(hopfield.projection(torch.cat([x, torch.zeros(2, 5)])), by_hand)


def test_projection_recalls_what_hebbian_cannot() -> None:
    """Patterns that resemble each other, half as many as units: every one is a fixed point of the projection alone."""
    x = torch.where(torch.rand(20, 40, generator=torch.Generator().manual_seed(0)) < 0.8, 1.0, -1.0).double()
    resting = {store: bool(((x @ store(x)) * x > 0).all()) for store in STORAGES}
    assert resting == {hopfield.hebbian: False, hopfield.projection: True}


def test_energy_by_hand() -> None:
    weight = torch.tensor([[0.0, 2.0, -1.0], [2.0, 0.0, 3.0], [-1.0, 3.0, 0.0]])
    assert hopfield.energy(weight, torch.tensor([[1.0, 1.0, 1.0], [1.0, -1.0, 1.0]])).tolist() == [-4.0, 6.0]


@pytest.mark.parametrize("store", STORAGES)
def test_symmetric_with_a_zero_diagonal(store: Callable[[torch.Tensor], torch.Tensor]) -> None:
    weight = store(signs(7, 30))
    assert torch.equal(weight, weight.T)
    assert torch.equal(weight.diagonal(), torch.zeros(30))


@pytest.mark.parametrize("store", STORAGES)
@pytest.mark.parametrize("load", [3, 25])
def test_every_flip_lowers_the_energy_and_the_end_is_at_rest(
    store: Callable[[torch.Tensor], torch.Tensor], load: int
) -> None:
    """One unit a row and step; each step lowers the energy of the rows that move by twice the field, the rest stay."""
    weight, start = store(signs(load, 50)), signs(20, 50, 1)
    before, level, steps = start, hopfield.energy(weight, start), 0
    for state in hopfield.asynchronous_updates(weight, start, torch.Generator().manual_seed(0)):
        flipped = (state != before).sum(1)
        assert set(flipped.tolist()) <= {0, 1}
        now = hopfield.energy(weight, state)
        drop = 2 * ((before @ weight) * before * (state != before)).sum(1)
        torch.testing.assert_close(now - level, drop)
        assert (now[flipped == 1] < level[flipped == 1]).all()
        before, level, steps = state.clone(), now, steps + 1
    assert steps > 5
    assert ((before @ weight) * before >= -1e-9).all()
    assert torch.equal(before, hopfield.recall(weight, start, torch.Generator().manual_seed(0)))


def test_updates_at_once_would_not_settle() -> None:
    """Two units that want to agree: turned together they chase each other for ever; one by one they come to rest."""
    weight = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    start = torch.tensor([[1.0, -1.0]])
    assert torch.equal(torch.sign(start @ weight), -start)
    ends = {
        tuple(hopfield.recall(weight, start, torch.Generator().manual_seed(seed))[0].tolist()) for seed in range(20)
    }
    assert ends == {(1.0, 1.0), (-1.0, -1.0)}  # either unit may be the first


def test_any_unit_that_is_not_at_rest_is_as_likely_to_be_next() -> None:
    weight = hopfield.hebbian(torch.ones(1, 6))
    start = torch.tensor([[-1.0, -1.0, 1.0, 1.0, 1.0, 1.0]]).repeat(4000, 1)
    first = next(iter(hopfield.asynchronous_updates(weight, start, torch.Generator().manual_seed(0))))
    shares = (first != start).double().mean(0)
    assert abs(shares[0] - 0.5) < 0.03
    assert shares[2:].sum() == 0


def test_a_quarter_damaged_is_mended() -> None:
    patterns = signs(5, 200)
    damaged = patterns * torch.where(torch.rand(5, 200, generator=torch.Generator().manual_seed(2)) < 0.25, -1, 1)
    recalled = hopfield.recall(hopfield.hebbian(patterns), damaged, torch.Generator().manual_seed(0))
    assert torch.equal(recalled, patterns)


def test_retrieve_by_hand() -> None:
    """beta = log 2, s·x = 1 and 0: weights 2/3 and 1/3."""
    patterns = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    state = hopfield.retrieve(patterns, torch.tensor([[1.0, 0.0]]), math.log(2))
    torch.testing.assert_close(state, torch.tensor([[2 / 3, 1.0]]))


def test_modern_energy_by_hand() -> None:
    """-log(e + 1) + 1/2 + log 2 + 9/2."""
    patterns = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    value = hopfield.modern_energy(patterns, torch.tensor([[1.0, 0.0]]), 1.0)
    assert value.item() == pytest.approx(-math.log(math.e + 1) + 0.5 + math.log(2) + 4.5)


@pytest.mark.parametrize("beta", [0.05, 0.5, 5.0])
def test_a_step_never_raises_the_modern_energy(beta: float) -> None:
    patterns = torch.randn(30, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    state = 3 * torch.randn(50, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    level = hopfield.modern_energy(patterns, state, beta)
    for _ in range(10):
        state = hopfield.retrieve(patterns, state, beta)
        now = hopfield.modern_energy(patterns, state, beta)
        assert (now <= level + 1e-12).all()
        assert (now >= 0).all()
        level = now


def test_thousands_in_64_dimensions_in_one_step() -> None:
    """More patterns than 1982's network could keep in 14,000 units, and a tenth of the pixels wrong."""
    patterns = signs(2_000, 64).float()
    damaged = patterns[:500].clone()
    damaged[:, :6] *= -1
    recalled = hopfield.retrieve(patterns, damaged, 1.0)
    assert (recalled.sign() == patterns[:500]).all(1).double().mean() > 0.99
    assert (hopfield.retrieve(patterns, patterns[:500], 1.0) - patterns[:500]).abs().max() < 1e-3


def test_known_units_never_flip() -> None:
    """A stored pattern is damaged in its known half: the other half stays at rest with it, or is dragged along."""
    patterns = signs(3, 60)
    weight, damaged = hopfield.hebbian(patterns), patterns.clone()
    damaged[:, :20] *= -1
    known = torch.zeros(3, 60, dtype=torch.bool)
    known[:, :20] = True
    reached = hopfield.recall(weight, damaged, torch.Generator().manual_seed(0), known)
    assert torch.equal(reached[:, :20], damaged[:, :20])
    assert torch.equal(hopfield.recall(weight, damaged, torch.Generator().manual_seed(0)), patterns)
