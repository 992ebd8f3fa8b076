"""The quantile Huber loss by hand, and what it must come to."""

import math

import pytest
import torch
from torch.nn import functional as F

from sandbox.ops.distributional import cosines, quantile_huber, quantile_targets
from sandbox.ops.value_learning import q_learning


def test_cosines_by_hand() -> None:
    """cos(pi i tau), and i starts at 0."""
    found = cosines(torch.tensor([[0.0, 0.5], [1.0, 1 / 3]]), 4)
    expected = [[[1.0, 1, 1, 1], [1, 0, -1, 0]], [[1, -1, 1, -1], [1, 0.5, -0.5, -1]]]
    torch.testing.assert_close(found, torch.tensor(expected), rtol=0, atol=1e-6)


def test_targets_by_hand() -> None:
    z_t = torch.tensor([[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]]).repeat(3, 1, 1).requires_grad_()
    q_t = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])  # choose the actions 1, 0, 0
    found = quantile_targets(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 0.9, 0.0]), z_t, q_t)
    torch.testing.assert_close(found, torch.tensor([[6.0, 11, 16], [2.9, 3.8, 4.7], [3, 3, 3]]))
    assert not found.requires_grad


def test_the_loss_by_hand() -> None:
    quantiles = torch.tensor([[0.0, 2.0], [1.0, 0.0]], requires_grad=True)
    taus, targets = torch.tensor([[0.25, 0.75], [0.1, 0.5]]), torch.tensor([[0.5, 3.0, -4.0], [1.0, 1.0, 1.0]])
    targets.requires_grad_()
    losses = quantile_huber(quantiles, taus, targets, 1.0)
    # Errors of the first row: [0.5, 3, -4] and [-1.5, 1, -6]; their Huber losses: [0.125, 2.5, 3.5] and [1, 0.5, 5.5];
    # the weights: [.25, .25, .75] and [.25, .75, .25]; a mean over three targets of 3.28125 and 2.0, summed.
    # Of the second row: 0, and 0.5 * 0.5 three times.
    torch.testing.assert_close(losses.detach(), torch.tensor([(3.28125 + 2.0) / 3, 0.25]))
    losses.sum().backward()
    # Minus the weights times the errors within [-1, 1], averaged over the targets.
    first = [-(0.25 * 0.5 + 0.25 - 0.75) / 3, -(-0.25 + 0.75 - 0.25) / 3]
    assert quantiles.grad is not None
    torch.testing.assert_close(quantiles.grad, torch.tensor([first, [0.0, -0.5]]))
    assert targets.grad is None


def test_kappa_bounds_the_squares_and_divides() -> None:
    """With kappa 2 an error of 1 costs 1/2 / 2, one of 3 costs 2 (3 - 1) / 2."""
    one, tau = torch.zeros(1, 1), torch.full((1, 1), 0.75)
    assert quantile_huber(one, tau, torch.tensor([[1.0]]), 2.0).item() == 0.75 * 0.25
    assert quantile_huber(one, tau, torch.tensor([[-3.0]]), 2.0).item() == 0.25 * 2


def pairs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    rand = lambda *shape: torch.randn(*shape, generator=g, dtype=torch.float64)  # noqa: E731
    return 3 * rand(6, 5), torch.rand(6, 5, generator=g, dtype=torch.float64), 3 * rand(6, 7)


def test_a_large_kappa_is_the_asymmetric_squared_loss() -> None:
    quantiles, taus, targets = pairs()
    error = targets[:, None] - quantiles[..., None]
    squares = torch.where(error < 0, 1 - taus[..., None], taus[..., None]) * error**2 / 2
    torch.testing.assert_close(100 * quantile_huber(quantiles, taus, targets, 100.0), squares.sum(1).mean(1))


def test_a_small_kappa_is_the_quantile_regression_loss() -> None:
    quantiles, taus, targets = pairs()
    error = targets[:, None] - quantiles[..., None]
    pinball = torch.maximum(taus[..., None] * error, (taus[..., None] - 1) * error)
    torch.testing.assert_close(quantile_huber(quantiles, taus, targets, 1e-9), pinball.sum(1).mean(1))


def test_the_order_of_quantiles_and_targets_does_not_matter() -> None:
    quantiles, taus, targets = pairs()
    others, more = torch.tensor([3, 1, 4, 0, 2]), torch.tensor([6, 0, 2, 4, 1, 5, 3])
    shuffled = quantile_huber(quantiles[:, others], taus[:, others], targets[:, more])
    torch.testing.assert_close(shuffled, quantile_huber(quantiles, taus, targets))


@pytest.mark.parametrize(("tau", "quantile"), [(0.1, 0.0), (0.3, 1.0), (0.5, 1.0), (0.7, 1.0), (0.8, 4.0), (0.99, 4.0)])
def test_it_is_least_at_the_true_quantile(tau: float, quantile: float) -> None:
    """The quantiles are those of the distribution 0, 1, 4 with probabilities 1/4, 1/2, 1/4."""
    guesses = torch.linspace(-1, 5, 601)[:, None]
    targets = torch.tensor([0.0, 1.0, 1.0, 4.0]).expand(601, 4)
    losses = quantile_huber(guesses, torch.full((601, 1), tau), targets, 1e-4)
    assert guesses[losses.argmin()].item() == pytest.approx(quantile, abs=1e-5)


def test_descent_finds_the_quantile_function() -> None:
    """All at once, from the other end: fractions in the middle of sixteen equal steps of -log(1 - u)."""
    targets = -torch.log1p(-(torch.arange(1600) + 0.5) / 1600)[None]
    taus = (torch.arange(16) + 0.5)[None] / 16
    guesses = torch.full((1, 16), 5.0, requires_grad=True)
    for _ in range(400):
        (gradient,) = torch.autograd.grad(quantile_huber(guesses, taus, targets, 0.01).sum(), guesses)
        guesses = (guesses - 0.5 * gradient).detach().requires_grad_()
    torch.testing.assert_close(guesses.detach(), -torch.log1p(-taus), rtol=0, atol=0.02)


def test_one_median_is_half_of_dqns_loss() -> None:
    """|tau - 1{error < 0}| is a half whatever the sign (kappa 1): the loss of the DQN of 2015, and its gradient."""
    g = torch.Generator().manual_seed(0)
    q_tm1, q_t = (3 * torch.randn(2, 9, 4, generator=g)).unbind()
    a_tm1, r_t, discount_t = torch.randint(4, (9,), generator=g), torch.randn(9, generator=g), torch.arange(9) % 2 * 0.9
    q_tm1.requires_grad_()
    targets = quantile_targets(r_t, discount_t, q_t[:, None], q_t)
    ours = quantile_huber(q_tm1.gather(1, a_tm1[:, None]), torch.full((9, 1), 0.5), targets, 1.0).sum()
    error = q_learning(q_tm1, a_tm1, r_t, discount_t, q_t)
    theirs = F.huber_loss(error, torch.zeros(9), reduction="sum")
    assert (error.abs() > 1).any()
    torch.testing.assert_close(ours, theirs / 2)
    gradients = [torch.autograd.grad(loss, q_tm1)[0] for loss in (ours, theirs)]
    torch.testing.assert_close(gradients[0], gradients[1] / 2)


def test_half_precision_goes_in_and_fractions_at_the_ends_are_fine() -> None:
    quantiles, targets = torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, -1.0]])
    losses = quantile_huber(quantiles, torch.tensor([[0.0, 1.0]]), targets)
    assert losses.item() == 0.5  # tau 0 minds only errors below, tau 1 only those above: (0.5 + 0.5) / 2
    assert math.isfinite(quantile_huber(quantiles.bfloat16(), torch.rand(1, 2), targets.bfloat16()).item())
