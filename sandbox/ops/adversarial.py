"""Games between a generator and a discriminator, as losses on the discriminator's logits; and what keeps them honest.

Papers: Goodfellow et al. 2014, "Generative Adversarial Networks" (minimax and non-saturating); Mao et al. 2017, "Least
Squares Generative Adversarial Networks"; Arjovsky et al. 2017, "Wasserstein GAN"; Lim & Ye 2017, "Geometric GAN", and
Miyato et al. 2018 (hinge); Salimans et al. 2016, "Improved Techniques for Training GANs" (one-sided smoothing, feature
matching); Gulrajani et al. 2017, "Improved Training of Wasserstein GANs" (gradient penalty).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

Loss = Callable[[torch.Tensor], torch.Tensor]  # of logits of any shape, elementwise
Critic = Callable[[torch.Tensor], torch.Tensor]  # images [B, ...] to logits


@dataclass(frozen=True)
class AdversarialLoss:
    """What a discriminator loses on a `real` logit and on a `fake` one, and its `generator` on a fake one.

    `read`: logits as what people look at, D(x) or a critic's score. `labels`: whether real and fake are classes, whose
    targets can be smoothed.
    """

    real: Loss
    fake: Loss
    generator: Loss
    read: Loss
    labels: bool = True

    def discriminator_loss(self, real: torch.Tensor, fake: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        """Logits of real and of generated images, any shapes -> scalar.

        `smoothing` makes the target of the real ones 1 - smoothing, and leaves that of the fakes at 0 (one-sided:
        smoothing the fakes would reward the generator for staying where it is).
        """
        on_real = self.real(real).mean()
        if smoothing:
            on_real = (1 - smoothing) * on_real + smoothing * self.fake(real).mean()
        return on_real + self.fake(fake).mean()

    def generator_loss(self, fake: torch.Tensor) -> torch.Tensor:
        """Logits of generated images, any shape -> scalar."""
        return self.generator(fake).mean()


def _untouched(logits: torch.Tensor) -> torch.Tensor:
    return logits


NON_SATURATING = AdversarialLoss(
    real=lambda x: F.softplus(-x),  # -log D
    fake=F.softplus,  # -log(1 - D)
    generator=lambda x: F.softplus(-x),  # -log D: log(1 - D) has no gradient where D is right
    read=torch.sigmoid,
)
MINIMAX = AdversarialLoss(
    NON_SATURATING.real, NON_SATURATING.fake, generator=lambda x: -F.softplus(x), read=torch.sigmoid
)
LEAST_SQUARES = AdversarialLoss(  # targets 1 and 0; the generator wants 1
    real=lambda x: 0.5 * (x - 1).square(),
    fake=lambda x: 0.5 * x.square(),
    generator=lambda x: 0.5 * (x - 1).square(),
    read=_untouched,
)
WASSERSTEIN = AdversarialLoss(real=torch.neg, fake=_untouched, generator=torch.neg, read=_untouched, labels=False)
HINGE = AdversarialLoss(
    real=lambda x: F.relu(1 - x), fake=lambda x: F.relu(1 + x), generator=torch.neg, read=_untouched, labels=False
)


def feature_matching(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """|E f(real) - E f(fake)|^2 of features [B, F] and [B', F] -> scalar."""
    return (real.flatten(1).mean(0) - fake.flatten(1).mean(0)).square().sum()


def gradient_penalty(critic: Critic, real: torch.Tensor, fake: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """E (|d critic / dx| - 1)^2 at x = alpha real + (1 - alpha) fake, in fp32 whatever autocast is on.

    Args:
        critic: [B, ...] -> logits [P], each of its own B / P rows only (P = B but for packs): no batch norm.
        real: [B, ...], floats; no gradient flows into it.
        fake: the same shape.
        alpha: [P] in [0, 1], one for each logit: where between real and fake what is judged at once lies.
    """
    with torch.autocast(real.device.type, enabled=False):
        shares = alpha.repeat_interleave(len(real) // len(alpha)).view(-1, *[1] * (real.dim() - 1))
        x = torch.lerp(fake.detach().float(), real.detach().float(), shares).requires_grad_()
        (slopes,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        norms = (slopes.reshape(len(alpha), -1).square().sum(1) + 1e-12).sqrt()  # the root of 0 has no slope
        return (norms - 1).square().mean()


def without_traces(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """`module(x)`, but what it would write into its buffers (running means, spectral vectors) is thrown away."""
    return torch.func.functional_call(module, {name: b.clone() for name, b in module.named_buffers()}, (x,))


@torch.no_grad()
def average_into(average: nn.Module, current: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * current, for weights and buffers; whole numbers are copied."""
    pairs = list(zip(average.state_dict().values(), current.state_dict().values(), strict=True))
    floats = [(a, c) for a, c in pairs if a.is_floating_point()]
    torch._foreach_lerp_([a for a, _ in floats], [c for _, c in floats], 1 - decay)
    for a, c in pairs:
        if not a.is_floating_point():
            a.copy_(c)
