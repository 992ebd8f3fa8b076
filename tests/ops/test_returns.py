"""Returns by hand."""

import pytest
import torch

from sandbox.ops.returns import q_lambda
from sandbox.ops.value_learning import q_learning

NEVER = torch.zeros(3, dtype=torch.bool)


def stretch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rewards [6, 5], discounts [6, 5] with zeros, and values [6, 5, 3]."""
    g = torch.Generator().manual_seed(seed)
    terminated = torch.rand(6, 5, generator=g) < 0.3
    return torch.randn(6, 5, generator=g), 0.9 * (~terminated).float(), torch.randn(6, 5, 3, generator=g)


def test_by_hand() -> None:
    r_t, discount_t = torch.tensor([1.0, 2.0, 3.0]), torch.full((3,), 0.5)
    q_t = torch.tensor([[4.0, 0.0], [-9.0, 8.0], [16.0, 16.0]], requires_grad=True)
    returns = q_lambda(r_t, discount_t, q_t, NEVER, 0.25)
    # from the end: 3 + 0.5*16 = 11; 2 + 0.5*(0.75*8 + 0.25*11) = 6.375; 1 + 0.5*(0.75*4 + 0.25*6.375) = 3.296875
    assert returns.tolist() == [3.296875, 6.375, 11.0]
    assert not returns.requires_grad


def test_nothing_follows_termination() -> None:
    """Neither the value there, nor what the next episode brings."""
    r_t, discount_t = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 0.0, 0.5])
    q_t, ended = torch.tensor([[4.0], [8.0], [16.0]]), torch.tensor([False, True, False])
    # 3 + 0.5*16; 2; 1 + 0.5*(0.75*4 + 0.25*2)
    assert q_lambda(r_t, discount_t, q_t, ended, 0.25).tolist() == [2.75, 2.0, 11.0]


@pytest.mark.parametrize("lambda_", [0.25, 1.0])
def test_after_truncation_follows_the_value_there_and_not_the_next_episode(lambda_: float) -> None:
    r_t, discount_t = torch.tensor([1.0, 2.0, 3.0]), torch.full((3,), 0.5)
    q_t, ended = torch.tensor([[4.0], [8.0], [16.0]]), torch.tensor([False, True, False])
    # 3 + 0.5*16; 2 + 0.5*8 = 6 for every lambda; 1 + 0.5*((1 - lambda)*4 + lambda*6)
    assert q_lambda(r_t, discount_t, q_t, ended, lambda_).tolist() == [3 + lambda_, 6.0, 11.0]


def test_with_lambda_0_it_is_one_step_q_learning() -> None:
    r_t, discount_t, q_t = stretch()
    nothing, actions = torch.zeros(6, 5, 3), torch.zeros(6, 5, dtype=torch.int64)
    for ended in (discount_t == 0, discount_t == 2):
        expected = q_learning(nothing, actions, r_t, discount_t, q_t)
        assert torch.equal(q_lambda(r_t, discount_t, q_t, ended, 0.0), expected)


def test_with_lambda_1_it_is_what_was_collected_and_the_last_value() -> None:
    r_t, discount_t, q_t = stretch()
    expected = torch.zeros(6, 5)
    for n in range(5):
        for t in range(6):
            weight = 1.0
            for k in range(t, 6):
                expected[t, n] += weight * r_t[k, n]
                weight *= float(discount_t[k, n])
            expected[t, n] += weight * q_t[-1, n].max()
    torch.testing.assert_close(q_lambda(r_t, discount_t, q_t, discount_t == 0, 1.0), expected)


def test_the_columns_do_not_meet() -> None:
    r_t, discount_t, q_t = stretch()
    ended = torch.rand(6, 5, generator=torch.Generator().manual_seed(1)) < 0.3
    together = q_lambda(r_t, discount_t, q_t, ended, 0.7)
    for n in range(5):
        assert torch.equal(together[:, n], q_lambda(r_t[:, n], discount_t[:, n], q_t[:, n], ended[:, n], 0.7))
