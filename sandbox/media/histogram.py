"""Histograms of points on a line."""

import numpy as np
import torch

_NUM_BINS = 120
_BIN_WIDTH = 4  # pixels
_HEIGHT = 240  # of the highest bar, in pixels
_DARK, _LIGHT = 24, 255


def histogram(points: np.ndarray | torch.Tensor) -> np.ndarray:
    """Return a histogram of 120 bins, light on dark, as [240, 480, 3] uint8.

    The highest bar fills the image. Points outside [0, 1] are counted in the first or the last bin.

    Args:
        points: [N, 1] in [0, 1].

    Raises:
        ValueError: If the points have another shape.
    """
    positions = torch.as_tensor(points).detach().cpu().double().nan_to_num(nan=0.0).numpy()
    if positions.ndim != 2 or positions.shape[1] != 1:
        raise ValueError(f"a histogram is made of points [N, 1], not {list(positions.shape)}")
    bins = np.clip(positions[:, 0] * _NUM_BINS, 0, _NUM_BINS - 1).astype(int)
    counts = np.bincount(bins, minlength=_NUM_BINS)
    heights = np.ceil(counts * (_HEIGHT / max(counts.max(), 1))).astype(int)
    is_bar = np.arange(_HEIGHT, 0, -1)[:, None] <= heights.repeat(_BIN_WIDTH)
    return np.repeat(np.where(is_bar, _LIGHT, _DARK).astype(np.uint8)[:, :, None], 3, 2)
