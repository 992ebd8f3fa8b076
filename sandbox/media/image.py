"""One image of a generator's samples, for samples of any shape."""

from collections.abc import Callable

import numpy as np
import torch

from sandbox.media.grid import grid
from sandbox.media.histogram import histogram
from sandbox.media.scatter import scatter

_NUM_IMAGES = 64
_NUM_POINTS = 2_000


def image_of_samples(
    sample: Callable[[int], torch.Tensor], shape: tuple[int, ...], count: int | None = None
) -> np.ndarray:
    """Return images [C, H, W] in a grid, points [2] as a scatter plot, points [1] as a histogram.

    Args:
        sample: A generator's method: count -> samples [count, *shape].
        shape: The shape of one sample.
        count: The number of samples; None for 64 images or 2000 points.

    Returns:
        [H, W, 3] uint8.
    """
    if len(shape) != 1:
        return grid(sample(count or _NUM_IMAGES))
    points = sample(count or _NUM_POINTS)
    return histogram(points) if shape == (1,) else scatter(points)
