"""Adversarial losses and penalties by hand."""

import math

import pytest
import torch
from torch import nn

from sandbox.ops.adversarial import (
    HINGE,
    LEAST_SQUARES,
    MINIMAX,
    NON_SATURATING,
    WASSERSTEIN,
    AdversarialLoss,
    feature_matching,
    forward_without_buffer_updates,
    gradient_penalty,
)

LOG3 = math.log(3)  # D = 3/4


@pytest.mark.parametrize(
    ("loss", "real", "fake", "discriminator", "generator"),
    [
        # D(real) = 3/4 and 1/2, D(fake) = 1/4
        (NON_SATURATING, [LOG3, 0], [-LOG3], (math.log(4 / 3) + math.log(2)) / 2 + math.log(4 / 3), math.log(4)),
        (MINIMAX, [LOG3, 0], [-LOG3], (math.log(4 / 3) + math.log(2)) / 2 + math.log(4 / 3), math.log(3 / 4)),
        # ((1 - 1)^2 + (3 - 1)^2) / 4 + 0.5 * 2^2; 0.5 * (2 - 1)^2
        (LEAST_SQUARES, [1, 3], [2], 1.0 + 2.0, 0.5),
        # -(1 + 3) / 2 + 5; -5
        (WASSERSTEIN, [1, 3], [5], -2.0 + 5.0, -5.0),
        # max(0, 1 - x): 0.5, 0, 2; max(0, 1 + x): 0, 1.5
        (HINGE, [0.5, 4, -1], [-3, 0.5], 2.5 / 3 + 0.75, 1.25),
    ],
    ids=["non_saturating", "minimax", "least_squares", "wasserstein", "hinge"],
)
def test_every_loss_by_hand(
    loss: AdversarialLoss, real: list[float], fake: list[float], discriminator: float, generator: float
) -> None:
    on_real, on_fake = torch.tensor(real, dtype=torch.float32), torch.tensor(fake, dtype=torch.float32)
    assert loss.discriminator_loss(on_real, on_fake).item() == pytest.approx(discriminator)
    assert loss.generator_loss(on_fake).item() == pytest.approx(generator)


def test_readouts_are_probabilities_or_scores() -> None:
    logits = torch.tensor([LOG3])
    assert [loss.readout(logits).item() for loss in (NON_SATURATING, MINIMAX)] == pytest.approx([0.75, 0.75])
    assert [loss.readout(logits).item() for loss in (LEAST_SQUARES, WASSERSTEIN, HINGE)] == pytest.approx([LOG3] * 3)
    assert [loss.supports_label_smoothing for loss in (NON_SATURATING, MINIMAX, LEAST_SQUARES)] == [True] * 3
    assert [loss.supports_label_smoothing for loss in (WASSERSTEIN, HINGE)] == [False] * 2


def test_smoothing_is_one_sided() -> None:
    """The best D for real images is 1 - smoothing; the target of generated ones is still 0."""
    real = torch.tensor([math.log(9.0)], requires_grad=True)  # D = 0.9
    fake = torch.tensor([0.5], requires_grad=True)
    plain = torch.autograd.grad(NON_SATURATING.discriminator_loss(real, fake), fake)
    gradient, other = torch.autograd.grad(NON_SATURATING.discriminator_loss(real, fake, 0.1), (real, fake))
    assert gradient.item() == pytest.approx(0.0, abs=1e-6)
    assert other.item() == plain[0].item()
    regressed = torch.tensor([0.9], requires_grad=True)
    (gradient,) = torch.autograd.grad(LEAST_SQUARES.discriminator_loss(regressed, fake, 0.1), regressed)
    assert gradient.item() == pytest.approx(0.0, abs=1e-6)


def test_the_generator_has_gradients_where_the_discriminator_is_certain() -> None:
    """log(1 - D) has the derivative -D, here e-30; the non-saturating loss has the derivative -1 for a logit."""
    logits = torch.tensor([-30.0, -200.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(NON_SATURATING.generator_loss(logits), logits)
    (saturated,) = torch.autograd.grad(MINIMAX.generator_loss(logits), logits)
    assert (2 * gradient).tolist() == pytest.approx([-1.0, -1.0])
    assert saturated.abs().max() < 1e-12
    assert NON_SATURATING.generator_loss(logits).item() == pytest.approx(115.0)  # -log D, no infinity


def test_features_are_matched_in_the_mean() -> None:
    """|(2, 3) - (1, 1)|^2; batches of different sizes."""
    real, fake = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 1.0]])
    assert feature_matching(real, fake).item() == 5.0


def test_the_penalty_of_a_linear_critic_depends_on_the_norm_of_its_weights() -> None:
    """|w| = 5 everywhere, over all dimensions but the batch: (5 - 1)^2, whose gradient is 2 (5 - 1) w / 5."""
    weights = torch.tensor([3.0, 0.0, 0.0, 4.0], requires_grad=True)
    real, fake, alpha = torch.rand(6, 1, 2, 2), torch.rand(6, 1, 2, 2), torch.rand(6)
    penalty = gradient_penalty(lambda x: x.flatten(1) @ weights, real, fake, alpha)
    assert penalty.item() == pytest.approx(16.0)
    (gradient,) = torch.autograd.grad(penalty, weights)
    assert gradient.tolist() == pytest.approx([4.8, 0.0, 0.0, 6.4])


def test_each_image_has_its_own_alpha_and_its_own_penalty() -> None:
    """The gradient of |x|^2 / 2 is x, with norm 1 at 0.2 real, 5 at the real image and 0 at the fake one."""
    real, fake = torch.tensor([[3.0, 4.0]]).repeat(3, 1), torch.zeros(3, 2)
    alpha = torch.tensor([0.2, 1.0, 0.0])
    penalty = gradient_penalty(lambda x: x.square().sum(1) / 2, real, fake, alpha)
    assert penalty.item() == pytest.approx((0 + 16 + 1) / 3, rel=1e-5)


def test_a_constant_critic_has_a_penalty_and_finite_gradients() -> None:
    weights = torch.zeros(2, requires_grad=True)
    penalty = gradient_penalty(lambda x: x @ weights, torch.rand(3, 2), torch.rand(3, 2), torch.rand(3))
    (gradient,) = torch.autograd.grad(penalty, weights)
    assert penalty.item() == pytest.approx(1.0, abs=1e-5)
    assert gradient.isfinite().all()


def test_the_penalty_is_in_fp32_inside_autocast() -> None:
    """In bfloat16 a weight of 1.003 is 1, and has no penalty."""
    critic = nn.Linear(1, 1)
    nn.init.constant_(critic.weight, 1.003)
    with torch.autocast("cpu", torch.bfloat16):
        penalty = gradient_penalty(
            lambda x: critic(x)[:, 0], torch.rand(4, 1), torch.rand(4, 1).bfloat16(), torch.rand(4)
        )
    assert penalty.dtype == torch.float32
    assert penalty.item() == pytest.approx(0.003**2, rel=1e-2)


def test_a_pack_is_one_sample() -> None:
    """Two consecutive images have one logit: one alpha, and one norm over both, |(3, 4)| = 5, not 3 and 4."""
    weights = torch.tensor([3.0, 4.0])
    seen = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return x.reshape(-1, 2) @ weights

    penalty = gradient_penalty(critic, torch.ones(4, 1), torch.zeros(4, 1), torch.tensor([0.25, 0.75]))
    assert penalty.item() == pytest.approx(16.0)
    assert seen[0][:, 0].tolist() == [0.25, 0.25, 0.75, 0.75]


def test_a_forward_pass_without_buffer_updates_has_the_same_values_and_gradients() -> None:
    module = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(3, 4)), nn.BatchNorm1d(4))
    before = {name: buffer.clone() for name, buffer in module.named_buffers()}
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    without = forward_without_buffer_updates(module, x)
    assert all(torch.equal(buffer, before[name]) for name, buffer in module.named_buffers())
    usual = module(x)
    assert not all(torch.equal(buffer, before[name]) for name, buffer in module.named_buffers())
    torch.testing.assert_close(without, usual)
    assert torch.autograd.grad(without.square().sum(), x)[0].abs().sum() > 0
