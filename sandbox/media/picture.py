"""One picture of a generator's samples, whatever they are."""

from collections.abc import Callable

import numpy as np
import torch

from sandbox.media.grid import grid
from sandbox.media.histogram import histogram
from sandbox.media.scatter import scatter

_IMAGES, _POINTS = 64, 2_000  # unless a number is asked for


def picture_of(sample: Callable[[int], torch.Tensor], shape: tuple[int, ...], count: int | None = None) -> np.ndarray:
    """Images [C, H, W] in a grid, points [2] scattered over the plane, points [1] as a histogram; [H, W, 3] uint8.

    Args:
        sample: a generator's.
        shape: of one sample.
        count: how many; None: 64 images, 2000 points.
    """
    if len(shape) != 1:
        return grid(sample(count or _IMAGES))
    points = sample(count or _POINTS)
    return histogram(points) if shape == (1,) else scatter(points)
