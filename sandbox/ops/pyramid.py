"""The levels of Laplacian pyramids, and the way from one to the next: what enlarging misses is a level's details.

Paper: Burt & Adelson 1983, "The Laplacian Pyramid as a Compact Image Code"; here the small images are means of 2x2
pixels, and what is between pixels is interpolated on lines.
"""

from collections.abc import Sequence

import torch
from torch.nn import functional as F


def sides_of(shape: Sequence[int], least: int = 4) -> list[tuple[int, int]]:
    """Height and width of each level of images [C, H, W], largest first, halved while none gets less than `least`."""
    sides = [(shape[-2], shape[-1])]
    while min(sides[-1]) // 2 >= least:
        sides.append((sides[-1][0] // 2, sides[-1][1] // 2))
    return sides


def halved(images: torch.Tensor) -> torch.Tensor:
    """[B, C, H, W] -> [B, C, H // 2, W // 2], means of what lies under each pixel."""
    return F.adaptive_avg_pool2d(images, (images.shape[-2] // 2, images.shape[-1] // 2))


def enlarged(images: torch.Tensor, sides: Sequence[int]) -> torch.Tensor:
    """[B, C, h, w] -> [B, C, *sides], interpolated."""
    return F.interpolate(images, size=tuple(sides), mode="bilinear", align_corners=False)
