"""Scatter plots of points in the unit square."""

import numpy as np
import torch

_SIDE = 480  # pixels
_DARK, _LIGHT = 24, 255


def scatter(points: np.ndarray | torch.Tensor) -> np.ndarray:
    """Return a scatter plot, light on dark, as [480, 480, 3] uint8.

    A point is a dot of 3 x 3 pixels, lighter where several points overlap. Points outside the unit square are moved to
    its edge.

    Args:
        points: [N, 2] in [0, 1]: x to the right, y upwards.

    Raises:
        ValueError: If the points have another shape.
    """
    positions = torch.as_tensor(points).detach().cpu().double().nan_to_num(nan=0.0).numpy()
    if positions.ndim != 2 or positions.shape[1] != 2:
        raise ValueError(f"a scatter plot is made of points [N, 2], not {list(positions.shape)}")
    columns, rows = (np.clip(positions * [1, -1] + [0, 1], 0, 1) * (_SIDE - 3)).round().astype(int).T + 1
    counts = np.zeros((_SIDE, _SIDE), int)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            np.add.at(counts, (rows + down, columns + right), 1)
    brightness = np.where(counts > 0, _LIGHT - (_LIGHT - _DARK) / 2 * 0.8 ** np.minimum(counts, 50), _DARK)
    return np.repeat(brightness.astype(np.uint8)[:, :, None], 3, 2)
