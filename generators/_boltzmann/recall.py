"""Recall by Gibbs sampling: damaged images are restored, and images of which some pixels are known are completed.

The known pixels are clamped, and a Gibbs chain samples the others given them. The result is the mean of each pixel,
averaged over the second half of the sweeps. Without known pixels, a chain is short, so that it stays near the damaged
image at which it starts.
"""

from collections.abc import Iterator
from itertools import islice

import torch

RESTORING_SWEEPS = 10  # Gibbs sweeps from a damaged image of which no pixel is known


def known_units(known: torch.Tensor | None, images: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return which units keep their states, [B, N] on the device; none if no pixel is known.

    Args:
        known: True for known pixels, [B, C, H, W] or [C, H, W], or None.
        images: Images [B, C, H, W].
        device: The generator's device.

    Raises:
        ValueError: If `known` has another shape than the images.
    """
    if known is None:
        return torch.zeros(images.shape, dtype=torch.bool, device=device).flatten(1)
    if known.dtype != torch.bool or tuple(known.shape[-len(images.shape) + 1 :]) != tuple(images.shape[1:]):
        raise ValueError(
            f"known has one truth value for each pixel, {list(images.shape[1:])} or {list(images.shape)}, but this is "
            f"{known.dtype} {list(known.shape)}"
        )
    return known.to(device).expand(images.shape).flatten(1)


def recall_means(
    v: torch.Tensor, sweeps: Iterator[torch.Tensor], known: torch.Tensor | None, steps: int
) -> Iterator[torch.Tensor]:
    """Yield v, then the means after every sweep; in the second half of the sweeps their average, [B, V].

    Args:
        v: The states that the chain begins at, [B, V].
        sweeps: The means after every sweep of a chain, endlessly.
        known: The known pixels, or None.
        steps: Number of sweeps that complete an image; without known pixels there are at most `RESTORING_SWEEPS`.
    """
    yield v
    count = min(steps, RESTORING_SWEEPS) if known is None else steps
    total = torch.zeros_like(v)
    for number, means in enumerate(islice(sweeps, count), 1):
        counted = number - count // 2
        if counted <= 0:
            yield means
            continue
        total += means
        yield total / counted
