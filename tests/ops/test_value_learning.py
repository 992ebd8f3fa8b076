"""Errors by hand."""

import torch

from sandbox.ops.value_learning import epsilon_greedy, greedy, q_learning


def test_q_learning_by_hand() -> None:
    q_tm1 = torch.tensor([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]], requires_grad=True)
    q_t = torch.tensor([[4.0, 5.0], [9.0, 9.0], [-2.0, -3.0]], requires_grad=True)
    error = q_learning(
        q_tm1, torch.tensor([1, 0, 0]), torch.tensor([1.0, 2.0, 0.0]), torch.tensor([0.9, 0.0, 0.5]), q_t
    )
    # 1 + 0.9*5 - 2; 2 + 0*9 - 0.5 (terminated); 0 + 0.5*-2 - 3
    torch.testing.assert_close(error.detach(), torch.tensor([3.5, 1.5, -4.0]))
    error.sum().backward()
    assert q_t.grad is None
    assert q_tm1.grad is not None
    assert q_tm1.grad.tolist() == [[0, -1], [-1, 0], [-1, 0]]


def test_ties_are_broken_at_random() -> None:
    q = torch.tensor([[1.0, 0.0, 1.0]]).expand(3_000, 3)
    counts = torch.bincount(greedy(q, torch.Generator().manual_seed(0)), minlength=3)
    assert counts[1] == 0
    assert 1_350 < counts[0] < 1_650


def test_epsilon_is_the_share_of_random_actions() -> None:
    q = torch.tensor([[0.0, 0.0, 0.0, 1.0]]).expand(8_000, 4)
    actions = epsilon_greedy(q, 0.4, torch.Generator().manual_seed(0))
    assert abs((actions != 3).float().mean() - 0.4 * 0.75) < 0.02
    assert (epsilon_greedy(q, 0.0, torch.Generator().manual_seed(0)) == 3).all()
