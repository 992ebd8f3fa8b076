"""Corrupted images, as inputs of models that restore them."""

from typing import Literal

import torch

Corruption = Literal["flip", "blank"]


def corrupt_pixels(images: torch.Tensor, fraction: float, kind: Corruption, generator: torch.Generator) -> torch.Tensor:
    """Return images in which random pixels are corrupted.

    Args:
        images: [B, C, H, W] in [0, 1].
        fraction: The probability that a pixel, with all its channels, is corrupted.
        kind: `flip` replaces x by 1 - x, `blank` by 0.
        generator: Source of the random numbers, on the images' device.
    """
    shape = (len(images), 1, *images.shape[2:])
    corrupted = torch.rand(shape, generator=generator, device=images.device) < fraction
    return torch.where(corrupted, 1 - images if kind == "flip" else torch.zeros_like(images), images)
