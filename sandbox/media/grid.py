"""Pictures of many images: a grid of samples, and the PNG file it becomes."""

import math
import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sandbox.core.errors import UserError

_BORDER = 96  # a grey that is seen against black and white
_CELL = 48  # pixels; smaller images are enlarged to about this size


def grid(images: np.ndarray | torch.Tensor, columns: int | None = None, scale: int | None = None) -> np.ndarray:
    """Put images [N, C, H, W] into one picture [rows * (h + 1) + 1, columns * (w + 1) + 1, 3] uint8.

    Floats are in [0, 1] and clipped to it, NaN is black; bytes are taken as they are. One channel is grey, three are
    red, green and blue; any other number is shown as grey planes side by side. Each image is enlarged `scale` times,
    pixel by pixel (None: until its longer side is about 48), and framed by a line one pixel wide.
    """
    cells = _bytes(torch.as_tensor(images))
    if cells.shape[1] not in (1, 3):
        cells = np.concatenate(np.split(cells, cells.shape[1], axis=1), axis=3)
    count, _, height, width = cells.shape
    scale = scale or max(1, round(_CELL / max(height, width)))
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cells = cells.repeat(scale, axis=2).repeat(scale, axis=3)
    height, width = height * scale, width * scale
    picture = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, 3), _BORDER, np.uint8)
    for i, cell in enumerate(cells):
        top, left = i // columns * (height + 1) + 1, i % columns * (width + 1) + 1
        picture[top : top + height, left : left + width] = cell.transpose(1, 2, 0)
    return picture


def image_of(image: torch.Tensor) -> np.ndarray:
    """[C, H, W] in [0, 1] -> [H, W, 3] uint8; planes that are no colors lie side by side."""
    return grid(image[None], columns=1, scale=1)[1:-1, 1:-1].copy()


def balanced(weights: torch.Tensor) -> torch.Tensor:
    """Weights [N, C, H, W] as images in [0, 1]: 0 is middle grey, each one's largest is white, or black if negative."""
    largest = weights.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
    return 0.5 + weights / (2 * largest)


def pairs(*rows: torch.Tensor, columns: int = 16) -> np.ndarray:
    """Rows of N images each as one picture: strips of up to `columns` of the first above their own of the others.

    One grey channel becomes three where others have three.
    """
    most = max(row.shape[1] for row in rows)
    alike = [row.expand(-1, most, -1, -1) if (row.shape[1], most) == (1, 3) else row for row in rows]
    strips = [
        grid(torch.cat(strip), columns=len(strip[0]))
        for strip in zip(*(torch.split(row, columns) for row in alike), strict=True)
    ]
    picture = np.full((sum(len(strip) for strip in strips), strips[0].shape[1], 3), _BORDER, np.uint8)
    top = 0
    for strip in strips:
        picture[top : top + len(strip), : strip.shape[1]] = strip
        top += len(strip)
    return picture


def _bytes(images: torch.Tensor) -> np.ndarray:
    if images.dim() != 4 or 0 in images.shape:
        raise ValueError(f"a grid is made of images [N, C, H, W], not {list(images.shape)}")
    if images.is_floating_point():
        images = (images.detach().float().nan_to_num(nan=0.0).clamp(0, 1) * 255).round().to(torch.uint8)
    if images.dtype != torch.uint8:
        raise TypeError(f"images are floats in [0, 1] or uint8, not {images.dtype}")
    return images.cpu().numpy()


def save_png(path: Path, picture: np.ndarray) -> None:
    """Write a picture [H, W, 3] uint8 to `path`, whole or not at all.

    Raises:
        UserError: if the name is not that of a PNG.
    """
    if path.suffix.lower() != ".png":
        raise UserError(f"this picture is a PNG, but {path} is not the name of one; name it {path.with_suffix('.png')}")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    Image.fromarray(picture).save(partial, format="PNG")
    os.replace(partial, path)
