"""Distributions by hand, against the paper's algorithm written out, and against Q-learning where the two are one."""

import math

import pytest
import torch

from sandbox.ops.distributional import categorical_projection, categorical_q_learning
from sandbox.ops.value_learning import double_q_learning

GRID = torch.tensor([-1.0, 0.0, 1.0])


@pytest.mark.parametrize(
    ("r", "discount", "expected"),
    [
        (0.0, 1.0, [0.2, 0.3, 0.5]),  # nothing moves
        (0.5, 0.0, [0.0, 0.5, 0.5]),  # terminated: all of it between 0 and 1
        (1.0, 0.0, [0.0, 0.0, 1.0]),  # terminated on a value of the grid, at its end
        (0.0, 0.0, [0.0, 1.0, 0.0]),  # and in its middle
        (1.0, 1.0, [0.0, 0.2, 0.8]),  # to 0, 1, and 2, which is beyond the end
        (-9.0, 1.0, [1.0, 0.0, 0.0]),  # all beyond the other end
        (0.25, 0.5, [0.05, 0.5, 0.45]),  # to -0.25, 0.25, 0.75
    ],
)
def test_the_projection_by_hand(r: float, discount: float, expected: list[float]) -> None:
    target = categorical_projection(GRID, torch.tensor([[0.2, 0.3, 0.5]]), torch.tensor([r]), torch.tensor([discount]))
    torch.testing.assert_close(target, torch.tensor([expected]))


def written_out(grid: torch.Tensor, probabilities: torch.Tensor, r: float, discount: float) -> torch.Tensor:
    """Algorithm 1 of Bellemare et al. 2017; what falls on a value of the grid is not lost."""
    low, high, count = float(grid[0]), float(grid[-1]), len(grid)
    m = torch.zeros(count, dtype=torch.float64)
    for z, p in zip(grid.tolist(), probabilities.tolist(), strict=True):
        b = (min(max(r + discount * z, low), high) - low) / ((high - low) / (count - 1))
        lower, upper = math.floor(b), math.ceil(b)
        if lower == upper:
            m[lower] += p
        else:
            m[lower] += p * (upper - b)
            m[upper] += p * (b - lower)
    return m


def test_the_projection_is_the_papers_algorithm() -> None:
    g = torch.Generator().manual_seed(0)
    grid = torch.linspace(-10, 10, 51, dtype=torch.float64)
    probabilities = torch.randn(200, 51, generator=g, dtype=torch.float64).softmax(-1)
    r = torch.cat([torch.randn(150, generator=g), 0.4 * torch.arange(-25, 25)]).double()
    discount = torch.cat([torch.rand(100, generator=g), torch.ones(50), torch.zeros(50)]).double()
    target = categorical_projection(grid, probabilities, r, discount)
    for i in range(200):
        expected = written_out(grid, probabilities[i], float(r[i]), float(discount[i]))
        torch.testing.assert_close(target[i], expected, atol=1e-12, rtol=0)


def test_the_projection_keeps_the_mean_where_nothing_is_cut_off() -> None:
    g = torch.Generator().manual_seed(1)
    grid, probabilities = torch.linspace(-10, 10, 51), torch.randn(64, 51, generator=g).softmax(-1)
    r, discount = torch.randn(64, generator=g), torch.rand(64, generator=g) * 0.5
    target = categorical_projection(grid, probabilities, r, discount)
    torch.testing.assert_close(target.sum(1), torch.ones(64))
    torch.testing.assert_close(target @ grid, r + discount * (probabilities @ grid))


def test_the_divergence_by_hand() -> None:
    """Action 1 was taken; the selector's best next action is 0, though the target network's is 1."""
    logits_tm1 = torch.tensor([[[9.0, 9, 9], [0.1, 0.2, 0.7]]])
    logits_tm1[0, 1] = logits_tm1[0, 1].log()
    logits_tm1.requires_grad_()
    logits_t = torch.tensor([[[0.2, 0.3, 0.5], [0.0001, 0.0001, 0.9998]]]).log().requires_grad_()
    selector = torch.tensor([[1.0, 0.5]], requires_grad=True)
    r, discount = torch.tensor([0.25]), torch.tensor([0.5])
    loss = categorical_q_learning(logits_tm1, torch.tensor([1]), r, discount, logits_t, selector, GRID)
    expected = 0.05 * math.log(0.05 / 0.1) + 0.5 * math.log(0.5 / 0.2) + 0.45 * math.log(0.45 / 0.7)
    torch.testing.assert_close(loss.detach(), torch.tensor([expected]))
    loss.sum().backward()
    assert logits_t.grad is None
    assert selector.grad is None
    assert logits_tm1.grad is not None
    # softmax minus target, for the action that was taken alone
    torch.testing.assert_close(logits_tm1.grad, torch.tensor([[[0.0, 0, 0], [0.05, -0.3, 0.25]]]))


def test_it_is_nothing_where_the_target_is_reached() -> None:
    """Also where the target has zeros."""
    logits = torch.tensor([[[0.0, 200.0, 0.0]]])
    loss = categorical_q_learning(
        logits, torch.tensor([0]), torch.zeros(1), torch.zeros(1), logits, torch.ones(1, 1), GRID
    )
    assert loss.tolist() == [0.0]


def test_with_two_atoms_it_is_double_q_learning() -> None:
    """A logit's gradient is the error of the expected values, over the grid's width: what is learned is the mean."""
    g = torch.Generator().manual_seed(2)
    grid = torch.tensor([-20.0, 20.0])
    logits_tm1, logits_t = torch.randn(2, 16, 3, 2, generator=g)
    logits_tm1.requires_grad_()
    actions, r = torch.randint(3, (16,), generator=g), torch.randn(16, generator=g)
    discount, selector = 0.9 * (torch.rand(16, generator=g) > 0.3).float(), torch.randn(16, 3, generator=g)
    categorical_q_learning(logits_tm1, actions, r, discount, logits_t, selector, grid).sum().backward()
    q_tm1, q_t = (logits.detach().softmax(-1) @ grid for logits in (logits_tm1, logits_t))
    error = double_q_learning(q_tm1, actions, r, discount, q_t, selector)
    assert logits_tm1.grad is not None
    found = logits_tm1.grad[torch.arange(16), actions]
    torch.testing.assert_close(found, torch.stack([error, -error], 1) / 40)
