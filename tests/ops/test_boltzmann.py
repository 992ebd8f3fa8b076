"""Everything against brute force on machines that are small enough."""

import itertools

import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.ops import boltzmann
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import GAUSSIAN


def machine_of(visible: int, hidden: int, seed: int = 0, scale: float = 1.0) -> RBMParameters:
    draws = torch.Generator().manual_seed(seed)
    shapes = ((visible, hidden), (visible,), (hidden,))
    return RBMParameters(*(scale * torch.randn(shape, generator=draws, dtype=torch.float64) for shape in shapes))


def every(units: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=units)), dtype=torch.float64)


def joint(machine: RBMParameters) -> torch.Tensor:
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
    torch.testing.assert_close(boltzmann.hidden_probabilities(machine.transposed(), every(sizes[1])), visible)


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
        "the exact log-likelihood of this rbm is a sum over 2**30 states, and at most 2**20 are enumerated. "
        "Set generator.hidden_size to 20 or less."
    )


def gradient(machine: RBMParameters, data: torch.Tensor, model: torch.Tensor) -> RBMParameters:
    both = torch.cat([data, model])
    return boltzmann.gradient(both, boltzmann.hidden_probabilities(machine, both), len(data))


def exact_sample(machine: RBMParameters) -> torch.Tensor:
    """Each state of three visible units has its share of 100,000 rows."""
    shares = (joint(machine).logsumexp(1).softmax(0) * 100_000).round().long()
    return every(3).repeat_interleave(shares, 0)


def log_likelihood(machine: RBMParameters, states: list[int]) -> torch.Tensor:
    return (joint(machine).logsumexp(1) - joint(machine).flatten().logsumexp(0))[torch.tensor(states)].mean()


DATA = torch.tensor([[1.0, 0, 1], [1, 1, 1], [0, 0, 1]], dtype=torch.float64)  # states 5, 7, 1


def test_gradient_is_that_of_the_log_likelihood() -> None:
    machine = machine_of(3, 2)
    free = RBMParameters(*(tensor.clone().requires_grad_() for tensor in machine))
    exact = torch.autograd.grad(log_likelihood(free, [5, 7, 1]), free)
    for ours, theirs in zip(gradient(machine, DATA, exact_sample(machine)), exact, strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=0)


def test_centered_gradient_is_that_of_the_centered_parameters() -> None:
    """A step along the gradient of W, b', c' in E = -(v - mu)W(h - nu) - b'v - c'h, as it is in b and c."""
    machine, mu, nu = machine_of(3, 2), *machine_of(3, 2, seed=7)[1:]
    weight = machine.weight.clone().requires_grad_()
    b = (machine.visible_bias + machine.weight @ nu).requires_grad_()
    c = (machine.hidden_bias + mu @ machine.weight).requires_grad_()
    likelihood = log_likelihood(RBMParameters(weight, b - weight @ nu, c - mu @ weight), [5, 7, 1])
    rise, of_b, of_c = torch.autograd.grad(likelihood, (weight, b, c))
    step = 1e-6
    moved = RBMParameters(
        weight + step * rise,
        b + step * of_b - (weight + step * rise) @ nu,
        c + step * of_c - mu @ (weight + step * rise),
    )
    ours = boltzmann.centered_gradient(gradient(machine, DATA, exact_sample(machine)), mu, nu)
    for found, new, old in zip(ours, moved, machine, strict=True):
        torch.testing.assert_close(found, ((new - old) / step).detach(), atol=1e-4, rtol=0)


def test_centered_black_and_white_are_alike() -> None:
    """Exchange 0 and 1 in all visible units: the centered step is the same, mirrored; the plain one is not."""
    machine, model = machine_of(3, 2), every(3)[[0, 3, 6, 6]]
    flipped = RBMParameters(-machine.weight, -machine.visible_bias, machine.hidden_bias + machine.weight.sum(0))
    mu, nu = DATA.mean(0), torch.tensor([0.3, 0.6], dtype=torch.float64)
    ours = boltzmann.centered_gradient(gradient(machine, DATA, model), mu, nu)
    theirs = boltzmann.centered_gradient(gradient(flipped, 1 - DATA, 1 - model), 1 - mu, nu)
    torch.testing.assert_close(theirs.weight, -ours.weight)
    torch.testing.assert_close(theirs.visible_bias, -ours.visible_bias)
    torch.testing.assert_close(theirs.hidden_bias, ours.hidden_bias + ours.weight.sum(0))
    plain, mirrored = gradient(machine, DATA, model).weight, gradient(flipped, 1 - DATA, 1 - model).weight
    assert (mirrored + plain).abs().max() > 0.01


def test_each_phase_has_its_own_mean() -> None:
    """Repeating the chains changes nothing: the gradient is unbiased whatever the batch's size."""
    machine, v = machine_of(5, 3), every(5)
    few = gradient(machine, v[:7], v[20:23])
    many = gradient(machine, v[:7], v[20:23].repeat(40, 1))
    for a, b in zip(few, many, strict=True):
        torch.testing.assert_close(a, b)


def test_gaussian_units_against_quadrature() -> None:
    """One real unit, two hidden ones: the density integrates to one, and its mean given h is its input."""
    machine = machine_of(1, 2)
    v = torch.linspace(-12, 12, 4_001, dtype=torch.float64)[:, None]
    nats = -boltzmann.free_energy(machine, v, GAUSSIAN) - boltzmann.log_partition(machine, GAUSSIAN)
    assert float(nats.exp().sum() * 24 / 4_000) == pytest.approx(1.0, abs=1e-6)
    h = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    expected = machine.weight[:, 0] + machine.visible_bias
    torch.testing.assert_close(boltzmann.visible_means(machine, h, GAUSSIAN)[0], expected)
    energies = -0.5 * v.square() + v * expected
    shares = energies.softmax(0)
    torch.testing.assert_close((shares * v).sum(0), expected)


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
    torch.testing.assert_close(boltzmann.pseudo_log_likelihood(machine, v), exact)


def test_clamped_gibbs_has_the_exact_conditional() -> None:
    """Given the first unit of three; without known units it is `gibbs`."""
    machine, start = machine_of(3, 2, scale=2.0), torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64).repeat(4_000, 1)
    known = torch.tensor([True, False, False])
    sweeps = boltzmann.clamped_gibbs(machine, start, known, torch.Generator().manual_seed(0))
    means = [next(sweeps) for _ in range(60)][20:]
    exact = joint(machine).logsumexp(1)[4:].softmax(0) @ every(3)[4:]
    torch.testing.assert_close(torch.stack(means).mean((0, 1)), exact, atol=0.005, rtol=0)
    assert all(bool((state[:, 0] == 1).all()) for state in means)
    free = boltzmann.clamped_gibbs(machine, start, ~known & False, torch.Generator().manual_seed(0))
    expected, _ = boltzmann.gibbs(machine, start, 2, torch.Generator().manual_seed(0))
    next(free)
    torch.testing.assert_close(next(free), expected)
