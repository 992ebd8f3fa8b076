"""Corrupted images, as inputs of models that restore them."""

from typing import Literal

import torch

Corruption = Literal["flip", "blank"]
Half = Literal["half", "top", "bottom", "left", "right"]


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


def known_half(shape: tuple[int, int], hidden: Half) -> torch.Tensor:
    """Return True for the pixels of a known half, [1, H, W]; the other half is hidden.

    Args:
        shape: Height and width of the images.
        hidden: The half that is hidden; `half` is the bottom. A middle row or column belongs to the known half.
    """
    height, width = shape
    known = torch.ones(1, height, width, dtype=torch.bool)
    match hidden:
        case "half" | "bottom":
            known[:, (height + 1) // 2 :] = False
        case "top":
            known[:, : height // 2] = False
        case "left":
            known[:, :, : width // 2] = False
        case "right":
            known[:, :, (width + 1) // 2 :] = False
    return known
