"""h and its inverse, by hand."""

import pytest
import torch

from sandbox.ops.value_learning import double_q_learning, rescale, rescaled_double_q_learning, unscale


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (3.0, 1.003), (-3.0, -1.003), (99.0, 9.099), (-8.0, -2.008)])
def test_h_by_hand(x: float, y: float) -> None:
    assert rescale(torch.tensor(x), 1e-3).item() == pytest.approx(y, rel=1e-6)
    assert unscale(torch.tensor(y), 1e-3).item() == pytest.approx(x, rel=1e-5)


@pytest.mark.parametrize("epsilon", [1e-3, 1e-2, 1.0])
def test_the_inverse_undoes_it_over_all_sizes(epsilon: float) -> None:
    x = torch.cat([torch.logspace(-3, 5, 100), -torch.logspace(-3, 5, 100), torch.zeros(1)])
    torch.testing.assert_close(unscale(rescale(x, epsilon), epsilon), x, rtol=1e-4, atol=1e-6)


def test_the_error_by_hand() -> None:
    """h(1 + 0.5 h^-1(1.003)) - 0.25 = h(2.5) - 0.25; the online network chooses the second action."""
    q_tm1, q_t = torch.tensor([[0.25, 9.0]]), torch.tensor([[7.0, 1.003]])
    error = rescaled_double_q_learning(
        q_tm1, torch.tensor([0]), torch.tensor([1.0]), torch.tensor([0.5]), q_t, torch.tensor([[0.0, 1.0]]), 1e-3
    )
    assert error.item() == pytest.approx(3.5**0.5 - 1 + 0.0025 - 0.25, rel=1e-5)


def test_of_small_numbers_it_is_half_of_double_q_learnings_target() -> None:
    """h(x) = x / 2 + epsilon x near 0."""
    g = torch.Generator().manual_seed(0)
    r, d = 1e-3 * torch.randn(9, generator=g), torch.rand(9, generator=g)
    q = 1e-3 * torch.randn(2, 9, 3, generator=g)
    nothing, a = torch.zeros(9, 3), torch.zeros(9, dtype=torch.int64)
    ours = rescaled_double_q_learning(nothing, a, r, d, rescale(q[0], 1e-3), q[1], 1e-3)
    theirs = double_q_learning(nothing, a, r, d, q[0], q[1])
    torch.testing.assert_close(ours, theirs * 0.501, rtol=1e-2, atol=1e-6)
