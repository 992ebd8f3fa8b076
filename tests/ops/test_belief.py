"""Belief nets by hand and by autograd."""

import math

import pytest
import torch

from sandbox.ops import belief
from sandbox.ops.belief import SigmoidLayer

ARROW = SigmoidLayer(torch.tensor([[math.log(3)], [math.log(2)]]), torch.tensor([-math.log(2)]))


def test_probabilities_by_hand() -> None:
    """Odds of 1/2, 3/2 and 3."""
    x = torch.tensor([[0.0, 0], [1, 0], [1, 1]])
    torch.testing.assert_close(belief.probabilities(ARROW, x), torch.tensor([[1 / 3], [3 / 5], [3 / 4]]))


def test_log_prob_by_hand() -> None:
    x, y = torch.tensor([[0.0, 0], [1, 0], [1, 1]]), torch.tensor([[1.0], [0], [1]])
    torch.testing.assert_close(belief.log_prob(ARROW, x, y).exp(), torch.tensor([1 / 3, 2 / 5, 3 / 4]))
    odds = torch.tensor([math.log(3), -math.log(4)])
    assert float(belief.prior_log_prob(odds, torch.tensor([1.0, 1]))) == pytest.approx(math.log(3 / 4 / 5))


def test_delta_is_the_gradient_of_the_mean_log_prob() -> None:
    draws = torch.Generator().manual_seed(0)
    arrow = SigmoidLayer(torch.randn(3, 2, generator=draws), torch.randn(2, generator=draws))
    x, y = (torch.rand(5, size, generator=draws).round() for size in (3, 2))
    free = SigmoidLayer(*(tensor.clone().requires_grad_() for tensor in arrow))
    exact = torch.autograd.grad(belief.log_prob(free, x, y).mean(), free)
    for ours, theirs in zip(belief.delta_rule(arrow, x, y), exact, strict=True):
        torch.testing.assert_close(ours, theirs)
