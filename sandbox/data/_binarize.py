"""Binarization of gray images, which a Bernoulli likelihood needs."""

from typing import Annotated, Literal

import torch
from pydantic import Field

from sandbox.core.messages import note
from sandbox.data._square_images import note_if_dark
from sandbox.interfaces.dataset import DataSet

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


def own_images(
    train: torch.Tensor,
    test: torch.Tensor,
    method: BinarizeMethod,
    threshold: int,
    generator: torch.Generator,
    place: object,
) -> DataSet:
    """Return a data set of somebody's images, binarized, with notes about what is probably not meant.

    It is binary if every byte is 0 or 255, by binarization or already in the files.

    Args:
        train: Training images, uint8.
        test: Test images, uint8.
        method: "none", "threshold" or "sample".
        threshold: Smallest byte that is white by "threshold".
        generator: Random numbers of "sample", on the CPU.
        place: Place of the images, for the notes.
    """
    smallest = min(int(train.min()), int(test.min()))
    largest = max(int(train.max()), int(test.max()))
    note_if_dark(largest, place)
    if method == "threshold" and not smallest < threshold <= largest:
        color, side = ("black", "below") if largest < threshold else ("white", "not below")
        note(
            f"data.binarize=threshold makes every pixel {color}: the bytes of the images in {place} are {smallest} to "
            f"{largest}, {side} data.threshold={threshold}"
        )
    binary = [binarize(images, method, threshold, generator) for images in (train, test)]
    return DataSet(binary[0], binary[1], all(_black_and_white(images) for images in binary))


def _black_and_white(images: torch.Tensor) -> bool:
    return bool(((images == 0) | (images == 255)).all())
