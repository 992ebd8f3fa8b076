"""Label units: free energies, the labels given v, units, log Z and the gradient, by enumeration of a small machine."""

import itertools

import pytest
import torch

from sandbox.ops import annealing, boltzmann, labels
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import BernoulliAndSoftmax, sample_one_hot

V, K, H = 3, 3, 2
UNITS = BernoulliAndSoftmax(K)


def machine_of(seed: int = 0) -> RBMParameters:
    draws = torch.Generator().manual_seed(seed)
    return RBMParameters(*(torch.randn(s, generator=draws, dtype=torch.float64) for s in ((V + K, H), (V + K,), (H,))))


def every(units: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=units)), dtype=torch.float64)


def joint(machine: RBMParameters) -> torch.Tensor:
    """-E of every (v, y, h), term by term: [2^V, K, 2^H]."""
    weight, bias, hidden_bias = machine
    rows = [
        v @ weight[:V] @ h + weight[V + y] @ h + v @ bias[:V] + bias[V + y] + hidden_bias @ h
        for v in every(V) for y in range(K) for h in every(H)
    ]  # fmt: skip
    return torch.stack(rows).view(2**V, K, 2**H)


def states() -> torch.Tensor:
    """Every (v, y) as visible states, y as a one-hot vector: [2^V * K, V + K]."""
    return torch.cat([every(V).repeat_interleave(K, 0), torch.eye(K, dtype=torch.float64).repeat(2**V, 1)], 1)


def test_free_energies_and_labels() -> None:
    machine = machine_of()
    torch.testing.assert_close(-labels.free_energies(machine, every(V), K), joint(machine).logsumexp(2))
    torch.testing.assert_close(labels.probabilities(machine, every(V), K), joint(machine).logsumexp(2).softmax(1))
    plain = boltzmann.free_energy(machine, states(), UNITS).view(2**V, K)
    torch.testing.assert_close(labels.free_energies(machine, every(V), K), plain)


def test_the_visible_side_given_the_hidden_units() -> None:
    """Binary units are independent, and the labels are one softmax."""
    machine = machine_of()
    exact = joint(machine).permute(2, 0, 1).flatten(1).softmax(1) @ states()
    torch.testing.assert_close(boltzmann.visible_means(machine, every(H), UNITS), exact)


def test_log_partition() -> None:
    machine = machine_of()
    torch.testing.assert_close(boltzmann.log_partition(machine, UNITS), joint(machine).flatten().logsumexp(0))


def test_annealed_importance_sampling_reaches_log_z() -> None:
    machine = RBMParameters(*(tensor.float() for tensor in machine_of()))
    base = annealing.base_bias(torch.tensor([0.5, 0.2, 0.9, 1.0, 0.0, 0.0]), UNITS)
    assert base.isfinite().all()
    betas = annealing.inverse_temperatures(1_000)
    found = annealing.forward_log_partition(machine, base, betas, 200, torch.Generator().manual_seed(0), UNITS)
    assert found.value == pytest.approx(float(joint(machine_of()).flatten().logsumexp(0)), abs=0.02)


def test_gradient_is_that_of_the_joint_log_likelihood() -> None:
    """The likelihood is that of v and y together; in the negative phase, each state has its share of 200,000 rows."""
    machine = machine_of()
    data = states()[torch.tensor([0, 5, 13, 22])]
    shares = (joint(machine).logsumexp(2).flatten().softmax(0) * 200_000).round().long()
    both = torch.cat([data, states().repeat_interleave(shares, 0)])
    ours = boltzmann.gradient(both, boltzmann.hidden_probabilities(machine, both), len(data))
    free = RBMParameters(*(tensor.clone().requires_grad_() for tensor in machine))
    log_p = joint(free).logsumexp(2).flatten() - joint(free).flatten().logsumexp(0)
    exact = torch.autograd.grad(log_p[torch.tensor([0, 5, 13, 22])].mean(), free)
    for a, b in zip(ours, exact, strict=True):
        torch.testing.assert_close(a, b, atol=2e-5, rtol=0)


def test_sampling_reaches_the_distribution() -> None:
    machine = machine_of()
    start = states()[:1].repeat(20_000, 1)
    means, v = boltzmann.gibbs(machine, start, 20, torch.Generator().manual_seed(0), UNITS)
    assert (v[:, V:].sum(1) == 1).all()
    exact = joint(machine).logsumexp(2).flatten().softmax(0) @ states()
    torch.testing.assert_close(v.mean(0), exact, atol=0.015, rtol=0)
    torch.testing.assert_close(means.mean(0), exact, atol=0.01, rtol=0)


def test_one_hot_draws_have_their_probabilities() -> None:
    p = torch.tensor([0.0, 0.1, 0.6, 0.3]).expand(100_000, 4)
    drawn = sample_one_hot(p, torch.Generator().manual_seed(0))
    assert (drawn.sum(1) == 1).all()
    torch.testing.assert_close(drawn.mean(0), p[0], atol=0.006, rtol=0)
    assert not drawn[:, 0].any()


def test_the_biases_have_the_means_of_the_data() -> None:
    mean = torch.tensor([0.25, 0.75, 0.5, 1.0, 0.0, 0.0])
    found = UNITS.mean(UNITS.bias(mean, 8))
    torch.testing.assert_close(found, torch.cat([(mean[:3] * 8 + 1) / 10, (mean[3:] * 8 + 1) / 11]))
