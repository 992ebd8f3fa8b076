"""Routing by agreement, by hand."""

import math

import pytest
import torch

from sandbox.ops.capsules import lengths, margin_loss, route, squash


def test_squash() -> None:
    """A vector of length 2 gets the length 4 / 5, one of length 0 stays."""
    torch.testing.assert_close(squash(torch.tensor([[0.0, 2.0], [0.0, 0.0]])), torch.tensor([[0.0, 0.8], [0.0, 0.0]]))
    torch.testing.assert_close(lengths(torch.tensor([3.0, 4.0])), torch.tensor(5.0))


def test_the_first_iteration_divides_equally() -> None:
    """Two lower capsules predict (2, 0) and (0, 2) for the first upper one: the sum of halves is (1, 1)."""
    predictions = torch.tensor([[[[2.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [1.0, 0.0]]]])
    first, second = route(predictions, 1)[0]
    root = math.sqrt(2)  # the length of (1, 1), squashed to 2 / 3
    torch.testing.assert_close(first, torch.tensor([1.0, 1.0]) / root * (2 / 3))
    torch.testing.assert_close(second, torch.tensor([0.5, 0.0]))  # the sum (1, 0), squashed to 1 / 2


def test_the_second_iteration_follows_agreement() -> None:
    """Both agree about the second capsule by 1/2 each; about the first, each by 2 * sqrt(2) / 3."""
    predictions = torch.tensor([[[[2.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [1.0, 0.0]]]])
    logits = (2 * math.sqrt(2) / 3, 0.5)
    total = math.exp(logits[0]) + math.exp(logits[1])
    shares = [math.exp(logit) / total for logit in logits]
    expected = torch.stack([squash(torch.tensor([2.0, 2.0]) * shares[0]), squash(torch.tensor([2.0, 0.0]) * shares[1])])
    torch.testing.assert_close(route(predictions, 2)[0], expected)


def test_margin_loss() -> None:
    """Lengths 0.5 of the right class, 0.3 and 0.05 of others: 0.4^2 + 0.5 * 0.2^2."""
    losses = margin_loss(torch.tensor([[0.5, 0.3, 0.05], [0.95, 0.0, 0.1]]), torch.tensor([0, 0]))
    assert losses.tolist() == [pytest.approx(0.16 + 0.02), pytest.approx(0.0)]
