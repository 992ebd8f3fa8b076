"""Images with some pixels spoilt, for those who are to repair them."""

from typing import Literal

import torch

Damage = Literal["flip", "blank"]


def damaged(images: torch.Tensor, share: float, how: Damage, generator: torch.Generator) -> torch.Tensor:
    """Each pixel [H, W] of images [B, C, H, W] in [0, 1] is spoilt with probability `share`: x -> 1 - x, or black."""
    shape = (len(images), 1, *images.shape[2:])
    spoilt = torch.rand(shape, generator=generator, device=images.device) < share
    return torch.where(spoilt, 1 - images if how == "flip" else torch.zeros_like(images), images)
