"""Annealed importance sampling against enumeration, from both ends."""

import math

import pytest
import torch

from sandbox.ops import annealing, boltzmann
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import BERNOULLI, GAUSSIAN, Units


def machine_of(visible: int, hidden: int, seed: int, scale: float) -> RBMParameters:
    draws = torch.Generator().manual_seed(seed)
    return RBMParameters(
        *(scale * torch.randn(shape, generator=draws) for shape in ((visible, hidden), (visible,), (hidden,)))
    )


def test_the_schedule_is_that_of_the_paper() -> None:
    betas = annealing.inverse_temperatures()
    assert len(betas) == 14_501
    assert (betas[0], betas[-1]) == (0, 1)
    steps = betas.diff()
    for part, size in ((steps[:500], 1e-3), (steps[500:4_500], 1e-4), (steps[4_500:], 1e-5)):
        torch.testing.assert_close(part, torch.full_like(part, size), atol=1e-12, rtol=0)
    assert (annealing.inverse_temperatures(10).diff() > 0).all()


def test_base_biases_by_hand() -> None:
    base = annealing.base_bias(torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(base[0], torch.tensor(math.log(0.05 / 1.0)))
    torch.testing.assert_close(base[1], torch.tensor(math.log(0.55 / 0.5)))
    assert base.isfinite().all()
    assert torch.equal(annealing.base_bias(torch.tensor([3.0]), GAUSSIAN), torch.tensor([3.0]))


@pytest.mark.parametrize("units", [BERNOULLI, GAUSSIAN])
def test_without_weights_it_is_exact_at_once(units: Units) -> None:
    """The weights of all chains are the same number where v does not matter: only hidden biases change."""
    machine = RBMParameters(torch.zeros(4, 3), torch.tensor([0.5, -1.0, 0.0, 2.0]), torch.tensor([1.0, -2.0, 0.3]))
    draws, betas = torch.Generator().manual_seed(0), annealing.inverse_temperatures(20)
    up = annealing.forward_log_partition(machine, machine.visible_bias, betas, 5, draws, units)
    down = annealing.reverse_log_partition(machine, machine.visible_bias, betas, torch.ones(5, 4), draws, units)
    exact = float(boltzmann.log_partition(machine, units))
    for estimate in (up, down):
        assert estimate.value == pytest.approx(exact, abs=1e-4)
        assert estimate.high - estimate.low < 1e-4


@pytest.mark.parametrize(("units", "scale"), [(BERNOULLI, 1.0), (GAUSSIAN, 0.4)])
def test_both_ends_against_enumeration(units: Units, scale: float) -> None:
    draws, betas = torch.Generator().manual_seed(0), annealing.inverse_temperatures(1_000)
    for seed in range(3):
        machine = machine_of(8, 5, seed, scale)
        exact = float(boltzmann.log_partition(machine, units))
        base = annealing.base_bias(torch.full((8,), 0.3), units)
        up = annealing.forward_log_partition(machine, base, betas, 400, draws, units)
        assert up.value == pytest.approx(exact, abs=0.1)
        _, samples = boltzmann.gibbs(machine, torch.zeros(400, 8), 200, draws, units)
        down = annealing.reverse_log_partition(machine, base, betas, samples, draws, units)
        assert down.value == pytest.approx(exact, abs=0.1)
        for estimate in (up, down):
            assert estimate.low < estimate.value < estimate.high


@pytest.mark.parametrize(
    ("log_weights", "low", "middle", "high"),
    [
        # Weights of 1 and 0, mean 1/2 with an error of 3/2: the mean may be nothing but its largest weight.
        ([2.0, -1_000.0], 2 - math.log(2), 2 + math.log(0.5), 2 + math.log(2.0)),
        # Weights of 1 and 1/2 in turn, mean 3/4 with an error of 3 sqrt(2/31) / 4: within three standard errors.
        ([0.0, math.log(0.5)] * 16, *(math.log(0.75 + side * 3 * (2 / 31) ** 0.5 / 4 / 2**0.5) for side in (-1, 0, 1))),
    ],
)
def test_an_estimate_by_hand(
    log_weights: list[float], low: float, middle: float, high: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base model has two units of either kind without inputs: 4 states of 1 bit each, log Z = 4 log 2."""
    machine = RBMParameters(torch.zeros(2, 2), torch.zeros(2), torch.zeros(2))
    found = torch.tensor(log_weights, dtype=torch.float64)
    monkeypatch.setattr(annealing, "_anneal", lambda *given: found)
    base, betas, draws = torch.zeros(2), annealing.inverse_temperatures(4), torch.Generator()
    up = annealing.forward_log_partition(machine, base, betas, len(found), draws)
    expected = [4 * math.log(2) + end for end in (middle, low, high)]
    assert list(up) == pytest.approx(expected)
    down = annealing.reverse_log_partition(machine, base, betas, torch.zeros(len(found), 2), draws)
    assert list(down) == pytest.approx([4 * math.log(2) - end for end in (middle, high, low)])


def test_hurried_the_two_ends_are_a_bracket() -> None:
    """With few temperatures, up is too low and down is too high, on average."""
    machine, draws = machine_of(8, 6, 3, 2.0), torch.Generator().manual_seed(0)
    exact, base, betas = float(boltzmann.log_partition(machine)), torch.zeros(8), annealing.inverse_temperatures(4)
    shares = (-boltzmann.free_energy(machine, states := _every(8))).softmax(0)
    ups, downs = [], []
    for _ in range(60):
        ups.append(annealing.forward_log_partition(machine, base, betas, 10, draws).value)
        samples = states[torch.multinomial(shares, 10, replacement=True, generator=draws)]
        downs.append(annealing.reverse_log_partition(machine, base, betas, samples, draws).value)
    assert sum(ups) / 60 < exact - 0.1
    assert sum(downs) / 60 > exact + 0.1


def _every(units: int) -> torch.Tensor:
    return (torch.arange(2**units)[:, None] >> torch.arange(units) & 1).float()
