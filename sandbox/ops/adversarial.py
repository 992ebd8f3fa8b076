"""Losses of generative adversarial networks, on the discriminator's logits.

Papers: Goodfellow et al. 2014, "Generative Adversarial Networks" (minimax and non-saturating); Mao et al. 2017, "Least
Squares Generative Adversarial Networks"; Arjovsky et al. 2017, "Wasserstein GAN"; Lim & Ye 2017, "Geometric GAN", and
Miyato et al. 2018 (hinge); Salimans et al. 2016, "Improved Techniques for Training GANs" (one-sided label smoothing,
feature matching); Gulrajani et al. 2017, "Improved Training of Wasserstein GANs" (gradient penalty).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

ElementwiseFunction = Callable[[torch.Tensor], torch.Tensor]  # of logits of any shape
Critic = Callable[[torch.Tensor], torch.Tensor]  # images [B, ...] to logits


@dataclass(frozen=True)
class AdversarialLoss:
    """The losses of a discriminator and of a generator.

    Attributes:
        real: The discriminator's loss of a real image's logit.
        fake: The discriminator's loss of a generated image's logit.
        generator: The generator's loss of a generated image's logit.
        readout: The value of a logit in metrics: the probability D(x), or the score itself.
        supports_label_smoothing: Whether the discriminator is fitted to labels, 1 for real and 0 for generated images.
    """

    real: ElementwiseFunction
    fake: ElementwiseFunction
    generator: ElementwiseFunction
    readout: ElementwiseFunction
    supports_label_smoothing: bool = True

    def discriminator_loss(self, real: torch.Tensor, fake: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        """Return the mean loss of the discriminator.

        Args:
            real: Logits of real images, of any shape.
            fake: Logits of generated images, of any shape.
            smoothing: One-sided label smoothing. The target of real images becomes 1 - smoothing, and that of generated
                ones stays 0: to smooth it would reward the generator for staying as it is.
        """
        real_loss = self.real(real).mean()
        if smoothing:
            real_loss = (1 - smoothing) * real_loss + smoothing * self.fake(real).mean()
        return real_loss + self.fake(fake).mean()

    def generator_loss(self, fake: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of the generator for the logits of generated images, of any shape."""
        return self.generator(fake).mean()


def _identity(logits: torch.Tensor) -> torch.Tensor:
    return logits


NON_SATURATING = AdversarialLoss(
    real=lambda x: F.softplus(-x),  # -log D
    fake=F.softplus,  # -log(1 - D)
    generator=lambda x: F.softplus(-x),  # -log D; log(1 - D) has no gradient where D recognizes the fakes
    readout=torch.sigmoid,
)
MINIMAX = AdversarialLoss(
    NON_SATURATING.real, NON_SATURATING.fake, generator=lambda x: -F.softplus(x), readout=torch.sigmoid
)
LEAST_SQUARES = AdversarialLoss(  # targets 1 and 0 of the discriminator, and 1 of the generator
    real=lambda x: 0.5 * (x - 1).square(),
    fake=lambda x: 0.5 * x.square(),
    generator=lambda x: 0.5 * (x - 1).square(),
    readout=_identity,
)
WASSERSTEIN = AdversarialLoss(
    real=torch.neg, fake=_identity, generator=torch.neg, readout=_identity, supports_label_smoothing=False
)
HINGE = AdversarialLoss(
    real=lambda x: F.relu(1 - x),
    fake=lambda x: F.relu(1 + x),
    generator=torch.neg,
    readout=_identity,
    supports_label_smoothing=False,
)


def feature_matching(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Return |E f(real) - E f(fake)|^2 of features [B, F] and [B', F]."""
    return (real.flatten(1).mean(0) - fake.flatten(1).mean(0)).square().sum()


def gradient_penalty(critic: Critic, real: torch.Tensor, fake: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """Return E (|d critic / dx| - 1)^2 at x = alpha real + (1 - alpha) fake, in fp32 even inside autocast.

    Args:
        critic: Maps [B, ...] to logits [P], each of its own B / P rows only (P = B unless images are packed), so that
            batch norm is excluded.
        real: Floats [B, ...]; no gradient flows into them.
        fake: Floats of the same shape.
        alpha: [P] in [0, 1], the place between real and fake for each logit.
    """
    with torch.autocast(real.device.type, enabled=False):
        weights = alpha.repeat_interleave(len(real) // len(alpha)).view(-1, *[1] * (real.dim() - 1))
        x = torch.lerp(fake.detach().float(), real.detach().float(), weights).requires_grad_()
        (gradients,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        norms = (gradients.reshape(len(alpha), -1).square().sum(1) + 1e-12).sqrt()  # sqrt has no derivative at 0
        return (norms - 1).square().mean()


def forward_without_buffer_updates(module: nn.Module, x: torch.Tensor) -> Any:
    """Return `module(x)`, but leave its buffers (running means, vectors of spectral norms) as they are."""
    return torch.func.functional_call(module, {name: b.clone() for name, b in module.named_buffers()}, (x,))
