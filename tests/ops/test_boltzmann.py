"""Everything against brute force on machines that are small enough."""

import itertools

import pytest
import torch

from sandbox.errors import UserError
from sandbox.ops import boltzmann
from sandbox.ops.boltzmann import Machine


def machine_of(visible: int, hidden: int, seed: int = 0, scale: float = 1.0) -> Machine:
    draws = torch.Generator().manual_seed(seed)
    shapes = ((visible, hidden), (visible,), (hidden,))
    return Machine(*(scale * torch.randn(shape, generator=draws, dtype=torch.float64) for shape in shapes))


def every(units: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=units)), dtype=torch.float64)


def joint(machine: Machine) -> torch.Tensor:
    """-E of every (v, h): [2^V, 2^H]."""
    v, h = every(len(machine.visible_bias)), every(len(machine.hidden_bias))
    return v @ machine.weight @ h.T + (v @ machine.visible_bias)[:, None] + h @ machine.hidden_bias


@pytest.mark.parametrize("sizes", [(4, 3), (3, 4)])
def test_marginals_and_partition(sizes: tuple[int, int]) -> None:
    machine = machine_of(*sizes)
    v, energies = every(sizes[0]), joint(machine)
    torch.testing.assert_close(-boltzmann.free_energy(machine, v), energies.logsumexp(1))
    torch.testing.assert_close(boltzmann.log_partition(machine), energies.flatten().logsumexp(0))
    conditional = energies.softmax(1) @ every(sizes[1])
    torch.testing.assert_close(boltzmann.hidden_probabilities(machine, v), conditional)
    visible = energies.T.softmax(1) @ v
    torch.testing.assert_close(boltzmann.hidden_probabilities(machine.upside_down(), every(sizes[1])), visible)


def test_partition_in_chunks() -> None:
    """2^16 states are several chunks; without weights, Z is a product."""
    machine = machine_of(17, 16)
    alone = machine._replace(weight=torch.zeros_like(machine.weight))
    expected = sum(torch.nn.functional.softplus(bias).sum() for bias in alone[1:])
    torch.testing.assert_close(boltzmann.log_partition(alone), expected)


def test_too_many_states_are_refused_with_their_number() -> None:
    with pytest.raises(UserError) as refused:
        boltzmann.log_partition(machine_of(64, 30))
    assert str(refused.value) == (
        "the exact log-likelihood of this rbm is a sum over 2**30 states; 2**20 is the most that is done. "
        "Set generator.hidden_size to 20 or less."
    )


def test_gradient_is_that_of_the_log_likelihood() -> None:
    """The model's phase is a sample in which each state has its share of 100,000 rows, so it is nearly exact."""
    machine = machine_of(3, 2)
    data = torch.tensor([[1.0, 0, 1], [1, 1, 1], [0, 0, 1]], dtype=torch.float64)
    shares = (joint(machine).logsumexp(1).softmax(0) * 100_000).round().long()
    sample = every(3).repeat_interleave(shares, 0)
    free = Machine(*(tensor.clone().requires_grad_() for tensor in machine))
    likelihood = (joint(free).logsumexp(1) - joint(free).flatten().logsumexp(0))[torch.tensor([5, 7, 1])].mean()
    for ours, exact in zip(
        boltzmann.gradient(machine, data, sample), torch.autograd.grad(likelihood, free), strict=True
    ):
        torch.testing.assert_close(ours, exact, atol=2e-5, rtol=0)


def test_each_phase_has_its_own_mean() -> None:
    """Repeating the chains changes nothing: the gradient is unbiased whatever the batch's size."""
    machine, v = machine_of(5, 3), every(5)
    few = boltzmann.gradient(machine, v[:7], v[20:23])
    many = boltzmann.gradient(machine, v[:7], v[20:23].repeat(40, 1))
    for a, b in zip(few, many, strict=True):
        torch.testing.assert_close(a, b)


def test_gibbs_reaches_the_distribution() -> None:
    machine = machine_of(3, 2)
    start = torch.zeros(20_000, 3, dtype=torch.float64)
    probabilities, v = boltzmann.gibbs(machine, start, 20, torch.Generator().manual_seed(0))
    exact = joint(machine).logsumexp(1).softmax(0)
    seen = torch.bincount((v @ torch.tensor([4.0, 2.0, 1.0], dtype=torch.float64)).long(), minlength=8) / len(v)
    assert (seen - exact).abs().sum() / 2 < 0.015
    assert set(v.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(probabilities.mean(0), exact @ every(3), atol=0.01, rtol=0)


def test_pseudo_log_likelihood_over_all_units() -> None:
    machine, v = machine_of(4, 3), every(4)
    log_p = joint(machine).logsumexp(1)
    exact = torch.zeros(16, dtype=torch.float64)
    for unit in range(4):
        other = torch.arange(16) ^ (8 >> unit)
        exact += log_p - torch.logaddexp(log_p, log_p[other])
    ours = torch.stack([boltzmann.pseudo_log_likelihood(machine, v, torch.full((16,), unit)) for unit in range(4)])
    torch.testing.assert_close(ours.mean(0), exact)
