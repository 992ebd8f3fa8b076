"""One step by hand, and the layouts that a fused kernel must not mix up."""

import pytest
import torch
from torch import nn

from sandbox.optimizer import OptimizerConfig


def test_adams_first_step_is_the_learning_rate() -> None:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    OptimizerConfig(lr=0.1).make([weight]).minimise((3 * weight).sum())
    torch.testing.assert_close(weight.detach(), torch.tensor([0.9, -2.1]))


def test_only_its_own_parameters_get_gradients() -> None:
    mine, other = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    OptimizerConfig().make([mine]).minimise((mine * other).sum())
    assert other.grad is None
    assert other.item() == 1


def test_clipping_limits_the_norm() -> None:
    weight = nn.Parameter(torch.zeros(2))
    optimizer = OptimizerConfig(clip_norm=1.0, lr=1.0, eps=1.0).make([weight])
    optimizer.minimise((torch.tensor([30.0, 40.0]) * weight).sum())
    # Adam's first step is lr * g / (|g| + eps) with g clipped to (0.6, 0.8)
    torch.testing.assert_close(weight.detach(), torch.tensor([-0.6 / 1.6, -0.8 / 1.8]))


@pytest.mark.parametrize("restored", [False, True])
def test_channels_last_weights_step_like_plain_adam(restored: bool) -> None:
    """Fused kernels walk memory: a moment in another layout than its weight would be applied to the wrong places."""
    plain = nn.Conv2d(3, 5, 4)
    ours = nn.Conv2d(3, 5, 4).to(memory_format=torch.channels_last)
    ours.load_state_dict(plain.state_dict())
    optimizer, reference = OptimizerConfig(lr=0.1).make(ours.parameters()), torch.optim.Adam(plain.parameters(), 0.1)
    images = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    for _ in range(3):
        optimizer.minimise(ours(images).square().sum())
        reference.zero_grad()
        plain(images).square().sum().backward()
        reference.step()
        if restored:
            state = optimizer.state_dict()
            flat = {
                i: {k: v.clone(memory_format=torch.contiguous_format) for k, v in s.items()}
                for i, s in state["state"].items()
            }
            optimizer = OptimizerConfig(lr=0.1).make(ours.parameters())
            optimizer.load_state_dict({**state, "state": flat})
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_gradient_in_another_layout_reaches_the_right_weights() -> None:
    weight = nn.Parameter(torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last))
    signs = torch.where(torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0)) < 0.5, -1.0, 1.0)
    OptimizerConfig(lr=0.1).make([weight]).minimise((weight * signs).sum())
    torch.testing.assert_close(weight.detach(), -0.1 * signs)
