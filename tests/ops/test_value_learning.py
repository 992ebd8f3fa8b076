"""Errors by hand."""

from functools import partial
from typing import Any

import torch

from sandbox.ops.policies import epsilon_greedy, greedy
from sandbox.ops.value_learning import (
    double_q_learning,
    n_step_return,
    q_learning,
    rescaled_double_q_learning,
    sarsa,
)


def test_n_step_by_hand() -> None:
    r_t = torch.tensor([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0], [1.0, 2.0, 4.0], [1.0, 2.0, torch.nan], [1.0, 9.0, 9.0]])
    discount_t = torch.tensor([[1.0, 1, 1], [1, 0, 1], [1, 1, 0], [1, 1, 0], [0, 1, 1]])
    r, discount = n_step_return(r_t, discount_t, torch.tensor([3, 2, 3, 2, 1]), 0.5)
    # whole: 1 + 2/2 + 4/4, then 1/8; terminated at 2, at 3; truncated at 2: 1/4 goes on; terminated at 1
    assert r.tolist() == [3.0, 2.0, 3.0, 2.0, 1.0]
    assert discount.tolist() == [0.125, 0.0, 0.0, 0.25, 0.0]


def test_rewards_behind_a_termination_do_not_count() -> None:
    """Even if the window should say that they do."""
    r, discount = n_step_return(torch.ones(1, 3), torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([3]), 0.5)
    assert (r.item(), discount.item()) == (1.5, 0.0)


def test_one_step_is_that_step() -> None:
    r_t, discount_t = torch.randn(2, 50, 1, generator=torch.Generator().manual_seed(0))
    r, discount = n_step_return(r_t, discount_t, torch.ones(50, dtype=torch.int64), 0.99)
    assert torch.equal(r, r_t[:, 0])
    assert torch.equal(discount, 0.99 * discount_t[:, 0])


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


def test_sarsa_by_hand() -> None:
    q_tm1 = torch.tensor([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]], requires_grad=True)
    q_t = torch.tensor([[4.0, 5.0], [9.0, 9.0], [-2.0, -3.0]], requires_grad=True)
    a_tm1, a_t = torch.tensor([1, 0, 0]), torch.tensor([0, 1, 1])
    error = sarsa(q_tm1, a_tm1, torch.tensor([1.0, 2.0, 0.0]), torch.tensor([0.9, 0.0, 0.5]), q_t, a_t)
    # 1 + 0.9*4 - 2; 2 + 0*9 - 0.5 (terminated); 0 + 0.5*-3 - 3
    torch.testing.assert_close(error.detach(), torch.tensor([2.6, 1.5, -4.5]))
    error.sum().backward()
    assert q_t.grad is None
    assert q_tm1.grad is not None
    assert q_tm1.grad.tolist() == [[0, -1], [-1, 0], [-1, 0]]


def test_sarsa_is_q_learning_when_the_next_action_is_the_best() -> None:
    q_tm1, q_t = torch.randn(2, 8, 3, generator=torch.Generator().manual_seed(0))
    a_tm1, r_t, discount_t = torch.arange(8) % 3, torch.arange(8.0), torch.full((8,), 0.9)
    best = q_t.argmax(-1)
    assert torch.equal(sarsa(q_tm1, a_tm1, r_t, discount_t, q_t, best), q_learning(q_tm1, a_tm1, r_t, discount_t, q_t))


def test_ties_are_broken_at_random() -> None:
    q = torch.tensor([[1.0, 0.0, 1.0]]).expand(3_000, 3)
    counts = torch.bincount(greedy(q, torch.Generator().manual_seed(0)), minlength=3)
    assert counts[1] == 0
    assert 1_350 < counts[0] < 1_650


def test_epsilon_is_the_share_of_random_actions() -> None:
    q = torch.tensor([[0.0, 0.0, 0.0, 1.0]]).expand(8_000, 4)
    actions = epsilon_greedy(lambda: q, q.shape, torch.full((len(q),), 0.4), torch.Generator().manual_seed(0))
    assert abs((actions != 3).float().mean() - 0.4 * 0.75) < 0.02
    best = epsilon_greedy(lambda: q, q.shape, torch.zeros(len(q)), torch.Generator().manual_seed(0))
    assert (best == 3).all()


def test_double_q_learning_by_hand() -> None:
    q_tm1 = torch.tensor([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]], requires_grad=True)
    q_t = torch.tensor([[4.0, 5.0], [9.0, 9.0], [-2.0, -3.0]], requires_grad=True)
    selector = torch.tensor([[0.1, 0.0], [1.0, 2.0], [-9.0, -8.0]], requires_grad=True)
    actions, rewards, discounts = torch.tensor([1, 0, 0]), torch.tensor([1.0, 2.0, 0.0]), torch.tensor([0.9, 0.0, 0.5])
    error = double_q_learning(q_tm1, actions, rewards, discounts, q_t, selector)
    # the selector chooses 0, 1, 1: 1 + 0.9*4 - 2; 2 + 0*9 - 0.5 (terminated); 0 + 0.5*-3 - 3
    torch.testing.assert_close(error.detach(), torch.tensor([2.6, 1.5, -4.5]))
    error.sum().backward()
    assert q_t.grad is None
    assert selector.grad is None
    assert q_tm1.grad is not None
    assert q_tm1.grad.tolist() == [[0, -1], [-1, 0], [-1, 0]]


def test_double_q_learning_with_one_network_is_q_learning() -> None:
    g = torch.Generator().manual_seed(0)
    q_tm1, q_t = torch.randn(2, 5, 4, 3, generator=g)  # [B, T, A]: sequences too
    actions, rewards = torch.randint(3, (5, 4), generator=g), torch.randn(5, 4, generator=g)
    step = (q_tm1, actions, rewards, torch.full((5, 4), 0.9), q_t)
    assert torch.equal(double_q_learning(*step, q_t), q_learning(*step))


def test_rows_of_sequences_are_learned_as_rows_of_a_batch_are() -> None:
    """[T, B, A] values: every error is that of its own row."""
    draws = torch.Generator().manual_seed(0)
    q_tm1, q_t, selector = torch.randn(3, 2, 3, 4, generator=draws)
    actions, a_t = torch.randint(4, (2, 2, 3), generator=draws)
    r_t, discount_t = torch.randn(2, 2, 3, generator=draws)
    one = (q_tm1, actions, r_t, discount_t, q_t)
    rescaled = partial(rescaled_double_q_learning, epsilon=0.01)
    kinds: list[tuple[Any, tuple[torch.Tensor, ...]]] = [
        (q_learning, one),
        (double_q_learning, (*one, selector)),
        (sarsa, (*one, a_t)),
        (rescaled, (*one, selector)),
    ]
    for learn, given in kinds:
        torch.testing.assert_close(learn(*given).flatten(), learn(*(part.flatten(0, 1) for part in given)))
