"""Binarization of gray images, which a Bernoulli likelihood needs."""

from typing import Annotated, Literal

import torch
from pydantic import Field

BinarizeMethod = Literal["none", "threshold", "sample"]
Binarize = Annotated[
    BinarizeMethod,
    Field(
        description="`none` keeps gray values; `threshold` makes bytes >= `threshold` white; `sample` makes a pixel "
        "white with probability byte / 255, drawn once (Salakhutdinov & Murray 2008)"
    ),
]
Threshold = Annotated[int, Field(ge=1, le=255, description="smallest byte that is white if binarize=threshold")]


def binarize(images: torch.Tensor, method: BinarizeMethod, threshold: int, generator: torch.Generator) -> torch.Tensor:
    """Return the images with every byte 0 or 255, or unchanged for the method "none".

    Args:
        images: uint8, any shape.
        method: "none", "threshold" or "sample".
        threshold: Smallest byte that is white by "threshold".
        generator: Random numbers of "sample", on the CPU.
    """
    if method == "none":
        return images
    if method == "threshold":
        white = images >= threshold
    else:
        white = torch.rand(images.shape, generator=generator) < images.float() / 255
    return white.to(torch.uint8) * 255
