"""The game of Goodfellow et al. 2014, "Generative Adversarial Networks", from logits."""

import torch
from torch import nn
from torch.nn import functional as F


def discriminator_loss(real: torch.Tensor, fake: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """-E log D(real) - E log(1 - D(fake)); logits [B] and [B'] -> scalar.

    `smoothing` makes the target of the real ones 1 - smoothing, and leaves that of the fakes at 0 (one-sided:
    Salimans et al. 2016; smoothing the fakes would reward the generator for staying where it is).
    """
    return (1 - smoothing) * F.softplus(-real).mean() + smoothing * F.softplus(real).mean() + F.softplus(fake).mean()


def generator_loss(fake: torch.Tensor) -> torch.Tensor:
    """The non-saturating loss -E log D(fake): logits [B] -> scalar. log(1 - D) has no gradient where D is right."""
    return F.softplus(-fake).mean()


def without_traces(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """`module(x)`, but what it would write into its buffers (running means, spectral vectors) is thrown away."""
    return torch.func.functional_call(module, {name: b.clone() for name, b in module.named_buffers()}, (x,))


@torch.no_grad()
def average_into(average: nn.Module, current: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * current, for weights and buffers; whole numbers are copied."""
    for a, c in zip(average.state_dict().values(), current.state_dict().values(), strict=True):
        if a.is_floating_point():
            a.lerp_(c, 1 - decay)
        else:
            a.copy_(c)
