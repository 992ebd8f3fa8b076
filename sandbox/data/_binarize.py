"""Grey bytes to black and white: a Bernoulli likelihood means nothing on grey values."""

from typing import Annotated, Literal

import torch
from pydantic import Field

Binarize = Literal["none", "threshold", "sample"]
Threshold = Annotated[int, Field(ge=1, le=255)]


def binarize(images: torch.Tensor, how: Binarize, threshold: int, generator: torch.Generator) -> torch.Tensor:
    """uint8 images to the same shape, every byte 0 or 255 unless `how` is "none".

    Args:
        images: uint8, any shape.
        how: "threshold": 255 where the byte is at least `threshold`; "sample": 255 with probability byte / 255, drawn
            once for the whole set (Salakhutdinov & Murray 2008).
        threshold: in 1..255.
        generator: of the draws of "sample", on the CPU.
    """
    if how == "none":
        return images
    if how == "threshold":
        white = images >= threshold
    else:
        white = torch.rand(images.shape, generator=generator) < images.float() / 255
    return white.to(torch.uint8) * 255
