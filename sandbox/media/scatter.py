"""Pictures of points in the unit square."""

import numpy as np
import torch

_SIDE = 480  # pixels
_DARK, _LIGHT = 24, 255


def scatter(points: np.ndarray | torch.Tensor) -> np.ndarray:
    """Points [N, 2] (x to the right, y upwards) in [0, 1] to a picture [480, 480, 3] uint8, light on dark.

    A point is a dot of 3 x 3 pixels; where many lie on each other it is lighter. What lies outside is at the edge.
    """
    places = torch.as_tensor(points).detach().cpu().double().nan_to_num(nan=0.0).numpy()
    if places.ndim != 2 or places.shape[1] != 2:
        raise ValueError(f"a scatter picture is made of points [N, 2], not {list(places.shape)}")
    columns, rows = (np.clip(places * [1, -1] + [0, 1], 0, 1) * (_SIDE - 3)).round().astype(int).T + 1
    counts = np.zeros((_SIDE, _SIDE), int)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            np.add.at(counts, (rows + down, columns + right), 1)
    brightness = np.where(counts > 0, _LIGHT - (_LIGHT - _DARK) / 2 * 0.8 ** np.minimum(counts, 50), _DARK)
    return np.repeat(brightness.astype(np.uint8)[:, :, None], 3, 2)
