"""Pictures of points on a line."""

import numpy as np
import torch

_BARS, _WIDTH, _HEIGHT = 120, 4, 240  # a bar is 4 pixels wide, the highest 240 high
_DARK, _LIGHT = 24, 255


def histogram(points: np.ndarray | torch.Tensor) -> np.ndarray:
    """Points [N, 1] in [0, 1] to a picture [240, 480, 3] uint8: how many lie in each of 120 parts, light on dark.

    The highest bar is as high as the picture. What lies outside is counted at the edge.
    """
    places = torch.as_tensor(points).detach().cpu().double().nan_to_num(nan=0.0).numpy()
    if places.ndim != 2 or places.shape[1] != 1:
        raise ValueError(f"a histogram is made of points [N, 1], not {list(places.shape)}")
    bars = np.clip(places[:, 0] * _BARS, 0, _BARS - 1).astype(int)
    counts = np.bincount(bars, minlength=_BARS)
    heights = np.ceil(counts * (_HEIGHT / max(counts.max(), 1))).astype(int)
    lit = np.arange(_HEIGHT, 0, -1)[:, None] <= heights.repeat(_WIDTH)
    return np.repeat(np.where(lit, _LIGHT, _DARK).astype(np.uint8)[:, :, None], 3, 2)
