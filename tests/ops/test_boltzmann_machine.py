"""The fully connected machine against brute force: Z, marginals, gradient, and both phases at a temperature."""

import itertools

import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.ops import boltzmann_machine
from sandbox.ops.boltzmann_machine import BoltzmannParameters


def machine_of(units: int, seed: int = 0, scale: float = 1.0) -> BoltzmannParameters:
    draws = torch.Generator().manual_seed(seed)
    weight = scale * torch.randn(units, units, generator=draws, dtype=torch.float64).triu(1)
    return BoltzmannParameters(weight + weight.T, scale * torch.randn(units, generator=draws, dtype=torch.float64))


def every(units: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=units)), dtype=torch.float64)


def exact(machine: BoltzmannParameters, temperature: float = 1.0) -> torch.Tensor:
    """p of every state, in the order of `every`: pair by pair, without `energy`."""
    states = every(len(machine.bias))
    pairs = sum(machine.weight[i, j] * states[:, i] * states[:, j] for i in range(states.shape[1]) for j in range(i))
    return ((pairs + states @ machine.bias) / temperature).softmax(0)


def shares(states: torch.Tensor) -> torch.Tensor:
    """The frequency of each state, in the order of `every`."""
    units = states.shape[1]
    places = (states.long() * (2 ** torch.arange(units - 1, -1, -1))).sum(1)
    return torch.bincount(places, minlength=2**units).double() / len(states)


def test_energy_by_hand() -> None:
    machine = BoltzmannParameters(
        torch.tensor([[0.0, 2.0, -1.0], [2.0, 0.0, 3.0], [-1.0, 3.0, 0.0]]), torch.tensor([1.0, 0.5, -4])
    )
    states = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    assert boltzmann_machine.energy(machine, states).tolist() == [-3.5, 0.5, 0.0]


def test_partition_and_marginals() -> None:
    machine = machine_of(5)
    z = boltzmann_machine.log_partition(machine)
    torch.testing.assert_close((-boltzmann_machine.energy(machine, every(5)) - z).exp(), exact(machine))
    visible = every(3)
    p = (boltzmann_machine.log_marginal(machine, visible) - z).exp()
    torch.testing.assert_close(p, exact(machine).view(8, 4).sum(1))


def test_partition_in_chunks_and_without_hidden_units() -> None:
    """2^16 states are several chunks; without weights, Z is a product; with no hidden unit the marginal is -E."""
    machine = machine_of(16)
    alone = machine._replace(weight=torch.zeros(16, 16, dtype=torch.float64))
    expected = torch.nn.functional.softplus(alone.bias).sum()
    torch.testing.assert_close(boltzmann_machine.log_partition(alone), expected)
    torch.testing.assert_close(boltzmann_machine.log_marginal(alone, torch.zeros(1, 0))[0], expected)
    small = machine_of(4)
    torch.testing.assert_close(
        boltzmann_machine.log_marginal(small, every(4)), -boltzmann_machine.energy(small, every(4))
    )


def test_too_many_states_are_refused_with_their_number() -> None:
    with pytest.raises(UserError) as refused:
        boltzmann_machine.log_partition(machine_of(72))
    assert str(refused.value) == (
        "the exact log-likelihood of this boltzmann_machine is a sum over 2**72 states, and at most 2**20 are "
        "enumerated. Take smaller images or a smaller generator.hidden_size, so that pixels and hidden units together "
        "are 20 or less."
    )


def test_gradient_is_that_of_the_log_likelihood() -> None:
    """Three pixels and two hidden units; each phase is a sample in which every state has its exact share."""
    machine = machine_of(5)
    seen = torch.tensor([5, 7, 1])
    free = BoltzmannParameters(*(tensor.clone().requires_grad_() for tensor in machine))
    symmetric = BoltzmannParameters((free.weight + free.weight.T) / 2, free.bias)
    likelihood = (
        boltzmann_machine.log_marginal(symmetric, every(3)[seen]) - boltzmann_machine.log_partition(symmetric)
    ).mean()
    gradients = torch.autograd.grad(likelihood, free)
    p = exact(machine)
    conditional = p.view(8, 4)[seen] / p.view(8, 4)[seen].sum(1, keepdim=True)
    clamped = torch.zeros(8, 4, dtype=torch.float64)
    clamped[seen] = conditional / 3
    data, model = (
        every(5).repeat_interleave((weights.flatten() * 400_000).round().long(), 0) for weights in (clamped, p)
    )
    ours = boltzmann_machine.gradient(data, model)
    # A weight and its mirror image are one parameter, whose gradient the two share.
    torch.testing.assert_close(ours.weight, 2 * gradients[0].fill_diagonal_(0), atol=2e-5, rtol=0)
    torch.testing.assert_close(ours.bias, gradients[1], atol=2e-5, rtol=0)
    assert torch.equal(ours.weight, ours.weight.T)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_the_free_phase_has_its_temperature(temperature: float) -> None:
    machine, draws = machine_of(4), torch.Generator().manual_seed(0)
    start = torch.zeros(60_000, 4, dtype=torch.float64)
    states = boltzmann_machine.anneal(machine, start, [temperature] * 15, 0, draws)
    assert (shares(states) - exact(machine, temperature)).abs().sum() / 2 < 0.008
    assert set(states.unique().tolist()) == {0.0, 1.0}
    assert not start.any()


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_the_clamped_phase_has_the_same_temperature(temperature: float) -> None:
    """p(h | v) at T, for every v at once, and the visible units stay."""
    machine, draws = machine_of(4), torch.Generator().manual_seed(0)
    start = torch.cat([every(2), torch.zeros(4, 2, dtype=torch.float64)], 1).repeat_interleave(30_000, 0)
    states = boltzmann_machine.anneal(machine, start, [temperature] * 15, 2, draws)
    assert torch.equal(states[:, :2], start[:, :2])
    joint = exact(machine, temperature).view(4, 4)
    conditional = joint / joint.sum(1, keepdim=True)
    assert (4 * shares(states).view(4, 4) - conditional).abs().sum(1).max() / 2 < 0.012


def test_cooling_reaches_the_distribution_of_ten_units() -> None:
    """Total variation of 400,000 chains, all from one corner, to the enumerated distribution: at most 0.01."""
    machine = BoltzmannParameters(*(tensor.float() for tensor in machine_of(10)))
    temperatures = [4.0, 2.0, 1.5, *[1.0] * 12]
    start = torch.zeros(400_000, 10)
    states = boltzmann_machine.anneal(machine, start, temperatures, 0, torch.Generator().manual_seed(0))
    distance = (shares(states) - exact(BoltzmannParameters(*(tensor.double() for tensor in machine)))).abs().sum() / 2
    assert distance <= 0.01


def test_visible_log_likelihood() -> None:
    """log p(s_i | rest) over the three visible units of five, from the exact joint."""
    machine = machine_of(5)
    log_p, places = exact(machine).log(), torch.arange(32)
    expected = sum(log_p - torch.logaddexp(log_p, log_p[places ^ (16 >> i)]) for i in range(3))
    torch.testing.assert_close(boltzmann_machine.visible_log_likelihood(machine, every(5), 3), expected)


def test_clamped_gibbs_has_the_exact_conditional() -> None:
    """Each chain has known units of its own: the first unit is 1 in one half of them, the last is 0 in the other."""
    machine, count = machine_of(4, scale=1.5), 4_000
    start = torch.tensor([[1.0, 0.0, 0.0, 0.0]], dtype=torch.float64).repeat(2 * count, 1)
    known = torch.zeros(2 * count, 4, dtype=torch.bool)
    known[:count, 0] = known[count:, 3] = True
    sweeps = boltzmann_machine.clamped_gibbs(machine, start, known, torch.Generator().manual_seed(0))
    means = torch.stack([next(sweeps) for _ in range(60)][20:]).mean(0)
    for part, fits in ((means[:count], every(4)[:, 0] == 1), (means[count:], every(4)[:, 3] == 0)):
        p = exact(machine) * fits
        torch.testing.assert_close(part.mean(0), p @ every(4) / p.sum(), atol=0.005, rtol=0)
