"""Equations over windows, by hand and step by step."""

import pytest
import torch

from sandbox.ops.returns import n_step_windows, sequence_priorities, value_discrepancy


def test_three_steps_by_hand() -> None:
    """A window of four of which three count; the third terminates."""
    r, d = torch.tensor([[1.0, 2.0, 4.0, 99.0]]), torch.tensor([[1.0, 1.0, 0.0, 1.0]])
    mask = torch.tensor([[1.0, 1.0, 1.0, 0.0]])
    rewards, discounts, follows = n_step_windows(r, d, mask, 2, 0.5)
    assert rewards[0, :3].tolist() == [2.0, 4.0, 4.0]
    assert discounts[0, :3].tolist() == [0.25, 0.0, 0.0]
    assert follows[0, :3].tolist() == [2, 3, 3]


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_every_step_against_a_loop(n: int) -> None:
    g = torch.Generator().manual_seed(n)
    r, ends = torch.randn(6, 5, generator=g), torch.randint(1, 6, (6,), generator=g)
    d = torch.ones(6, 5)
    mask = (torch.arange(5) < ends[:, None]).float()
    d[[0, 2], ends[[0, 2]] - 1] = 0  # two terminate, the others are truncated or go on
    rewards, discounts, follows = n_step_windows(r, d, mask, n, 0.9)
    for b in range(6):
        for t in range(int(ends[b])):
            stop = min(t + n, int(ends[b]))
            assert follows[b, t] == stop
            assert rewards[b, t] == pytest.approx(
                sum(0.9 ** (k - t) * r[b, k].item() for k in range(t, stop)), abs=1e-5
            )
            assert discounts[b, t] == pytest.approx(0.9 ** (stop - t) * d[b, t:stop].prod().item())
    assert follows.max() <= 5


def test_priorities_by_hand() -> None:
    errors, mask = torch.tensor([[1.0, -3.0, 50.0], [2.0, 2.0, -2.0]]), torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    assert sequence_priorities(errors, mask, 0.9).tolist() == pytest.approx([0.9 * 3 + 0.1 * 2, 2.0])


def test_discrepancy_by_hand() -> None:
    fresh, stale = torch.tensor([[1.0, -5.0], [2.0, 2.0]]), torch.tensor([[4.0, -1.0], [2.0, 2.0]])
    assert value_discrepancy(fresh, stale).tolist() == [1.0, 0.0]
