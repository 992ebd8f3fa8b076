"""Sparsity and contraction, by hand and against autograd."""

import math

import torch
from torch.distributions import Bernoulli, kl_divergence

from sandbox.ops import regularized_codes as codes


def sigmoid_jacobian_norm(h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """||dh/dx||_F^2 of h = sigmoid(weight x + bias), in closed form (Rifai et al. 2011): [B, Z], [Z, X] -> [B]."""
    return (h * (1 - h)).square() @ weight.square().sum(1)


def test_bernoulli_kl_by_hand_and_against_torch() -> None:
    means = torch.tensor([0.05, 0.5, 0.9])
    expected = 0.05 * math.log(0.05 / 0.5) + 0.95 * math.log(0.95 / 0.5)
    torch.testing.assert_close(codes.bernoulli_kl(0.05, means)[1], torch.tensor(expected))
    torch.testing.assert_close(
        codes.bernoulli_kl(0.05, means), kl_divergence(Bernoulli(torch.tensor(0.05)), Bernoulli(means))
    )
    assert codes.bernoulli_kl(0.05, means)[0] == 0
    assert codes.bernoulli_kl(0.05, torch.tensor([0.0, 1.0])).isfinite().all()


def layer() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images [3, 6], their codes [3, 4] and the weight [4, 6] of one sigmoid layer."""
    draws = torch.Generator().manual_seed(0)
    x, weight = torch.rand(3, 6, generator=draws), torch.randn(4, 6, generator=draws)
    x.requires_grad_(), weight.requires_grad_()
    return x, torch.sigmoid(x @ weight.T + 0.1), weight


def test_the_closed_form_is_autograds() -> None:
    x, h, weight = layer()
    rows = [torch.autograd.grad(h[:, unit].sum(), x, retain_graph=True)[0] for unit in range(4)]
    exact = torch.stack(rows, 1).square().sum((1, 2))
    torch.testing.assert_close(sigmoid_jacobian_norm(h, weight), exact)


def test_the_estimate_over_a_basis_is_the_closed_form_with_its_gradient() -> None:
    """Unit vectors are the probes whose sum has no noise."""
    x, h, weight = layer()
    probes = torch.eye(4)[:, None].expand(4, 3, 4)
    estimate = torch.stack([codes.jacobian_norm_estimate(h, x, probe) for probe in probes]).sum(0)
    exact = sigmoid_jacobian_norm(h, weight)
    torch.testing.assert_close(estimate, exact)
    (ours,), (theirs,) = (torch.autograd.grad(norm.sum(), weight, retain_graph=True) for norm in (estimate, exact))
    torch.testing.assert_close(ours, theirs)


def test_random_signs_are_unbiased() -> None:
    x, h, weight = layer()
    draws = torch.Generator().manual_seed(0)
    probes = [codes.random_signs((3, 4), draws, h.device) for _ in range(2_000)]
    assert set(probes[0].unique().tolist()) == {-1.0, 1.0}
    mean = torch.stack([codes.jacobian_norm_estimate(h, x, probe).detach() for probe in probes]).mean(0)
    torch.testing.assert_close(mean, sigmoid_jacobian_norm(h, weight).detach(), rtol=0.05, atol=0)
