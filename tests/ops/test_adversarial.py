"""The game's losses by hand, and what a step must leave alone."""

import math

import pytest
import torch
from torch import nn

from sandbox.ops import adversarial
from sandbox.ops.adversarial import NON_SATURATING


def test_losses_by_hand() -> None:
    zero, right = torch.zeros(4), torch.full((2,), math.log(3))  # D = 1/2, D = 3/4
    game = NON_SATURATING
    assert game.discriminator_loss(zero, zero).item() == pytest.approx(2 * math.log(2))
    assert game.discriminator_loss(right, -right).item() == pytest.approx(-2 * math.log(3 / 4))
    assert game.generator_loss(right).item() == pytest.approx(-math.log(3 / 4))


def test_smoothing_is_one_sided() -> None:
    """Its best answer to real images is D = 1 - smoothing; fakes are still wanted at 0."""
    real = torch.tensor([math.log(9.0)], requires_grad=True)  # D = 0.9
    fake = torch.tensor([0.5], requires_grad=True)
    plain = torch.autograd.grad(NON_SATURATING.discriminator_loss(real, fake), fake)
    slope, other = torch.autograd.grad(NON_SATURATING.discriminator_loss(real, fake, 0.1), (real, fake))
    assert slope.item() == pytest.approx(0.0, abs=1e-6)
    assert other.item() == plain[0].item()


def test_the_generator_learns_where_the_discriminator_is_sure() -> None:
    """log(1 - D) has the slope -D, here e-30; the non-saturating loss has the slope -1."""
    logits = torch.tensor([-30.0], requires_grad=True)
    (slope,) = torch.autograd.grad(NON_SATURATING.generator_loss(logits), logits)
    assert slope.item() == pytest.approx(-1.0)


def test_without_traces_leaves_buffers_and_passes_gradients() -> None:
    module = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(3, 4)), nn.BatchNorm1d(4))
    before = {name: buffer.clone() for name, buffer in module.named_buffers()}
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    quiet = adversarial.without_traces(module, x)
    assert all(torch.equal(buffer, before[name]) for name, buffer in module.named_buffers())
    loud = module(x)
    assert not all(torch.equal(buffer, before[name]) for name, buffer in module.named_buffers())
    torch.testing.assert_close(quiet, loud)
    assert torch.autograd.grad(quiet.square().sum(), x)[0].abs().sum() > 0


def test_averages_cover_buffers_and_copy_whole_numbers() -> None:
    average, current = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    with torch.no_grad():
        current.weight.fill_(3.0)
        current.running_mean.fill_(10.0)
        current.num_batches_tracked.fill_(7)
    adversarial.average_into(average, current, 0.9)
    assert average.weight.tolist() == pytest.approx([1.2, 1.2])
    assert average.running_mean.tolist() == pytest.approx([1.0, 1.0])
    assert average.num_batches_tracked.item() == 7
