"""One picture of a generator's samples, whatever they are."""

from collections.abc import Callable

import numpy as np
import torch

from sandbox.media.grid import grid
from sandbox.media.scatter import scatter

_IMAGES, _POINTS = 64, 2_000  # unless a number is asked for


def picture_of(sample: Callable[[int], torch.Tensor], shape: tuple[int, ...], count: int | None = None) -> np.ndarray:
    """A grid of images [C, H, W], or points [2] scattered over the plane; [H, W, 3] uint8.

    Args:
        sample: a generator's.
        shape: of one sample.
        count: how many; None: 64 images, 2000 points.
    """
    points = len(shape) == 1
    samples = sample(count or (_POINTS if points else _IMAGES))
    return scatter(samples) if points else grid(samples)
