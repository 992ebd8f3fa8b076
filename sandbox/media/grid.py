"""Grids of images, and PNG files."""

import math
import os
import secrets
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sandbox.core.errors import UserError

_BORDER = 96  # a gray that contrasts with black and white
_CELL = 48  # pixels; smaller images are enlarged to about this size


def grid(images: np.ndarray | torch.Tensor, columns: int | None = None, scale: int | None = None) -> np.ndarray:
    """Arrange images [N, C, H, W] in a grid, with lines of one pixel around each.

    Args:
        images: Floats in [0, 1] (clipped, NaN becomes black) or uint8. One channel is gray, three are red, green and
            blue; the channels of any other number are shown as gray images side by side.
        columns: Images per row; None for an almost square grid.
        scale: Enlargement by a whole number; None enlarges the longer side to about 48 pixels.

    Returns:
        [rows * (h + 1) + 1, columns * (w + 1) + 1, 3] uint8 for enlarged images of h x w.

    Raises:
        ValueError: If the images have another shape.
        TypeError: If they have another data type.
    """
    cells = _bytes(torch.as_tensor(images))
    if cells.shape[1] not in (1, 3):
        cells = np.concatenate(np.split(cells, cells.shape[1], axis=1), axis=3)
    count, _, height, width = cells.shape
    scale = scale or max(1, round(_CELL / max(height, width)))
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cells = cells.repeat(scale, axis=2).repeat(scale, axis=3)
    height *= scale
    width *= scale
    result = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, 3), _BORDER, np.uint8)
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        top = row * (height + 1) + 1
        left = column * (width + 1) + 1
        result[top : top + height, left : left + width] = cell.transpose(1, 2, 0)
    return result


def rgb_image(image: torch.Tensor) -> np.ndarray:
    """Return an image [C, H, W] in [0, 1] as [H, W, 3] uint8, with its channels shown as in `grid`."""
    return grid(image[None], columns=1, scale=1)[1:-1, 1:-1].copy()


def weights_as_images(weights: torch.Tensor) -> torch.Tensor:
    """Return weights [N, C, H, W] as images in [0, 1]: 0 is gray, each filter's largest magnitude black or white."""
    largest = weights.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
    return 0.5 + weights / (2 * largest)


def stacked_rows(*rows: torch.Tensor, columns: int = 16) -> np.ndarray:
    """Arrange rows of images so that corresponding ones stand above each other, e.g. originals and reconstructions.

    Args:
        rows: Tensors [N, C, H, W] with the same N; gray images become RGB if others are.
        columns: Images per line; longer rows are broken into several lines.

    Returns:
        [H, W, 3] uint8.
    """
    channels = max(row.shape[1] for row in rows)
    alike = [row.expand(-1, 3, -1, -1) if row.shape[1] == 1 and channels == 3 else row for row in rows]
    lines = zip(*(torch.split(row, columns) for row in alike), strict=True)
    strips = [grid(torch.cat(line), columns=len(line[0])) for line in lines]
    result = np.full((sum(len(strip) for strip in strips), strips[0].shape[1], 3), _BORDER, np.uint8)
    top = 0
    for strip in strips:
        result[top : top + len(strip), : strip.shape[1]] = strip
        top += len(strip)
    return result


def _bytes(images: torch.Tensor) -> np.ndarray:
    if images.dim() != 4 or 0 in images.shape:
        raise ValueError(f"a grid is made of images [N, C, H, W], not {list(images.shape)}")
    if images.is_floating_point():
        images = (images.detach().float().nan_to_num(nan=0.0).clamp(0, 1) * 255).round().to(torch.uint8)
    if images.dtype != torch.uint8:
        raise TypeError(f"images are floats in [0, 1] or uint8, not {images.dtype}")
    return images.cpu().numpy()


def save_png(path: Path, image: np.ndarray) -> None:
    """Write an image [H, W, 3] uint8; an interrupted write leaves no partial file at `path`.

    Raises:
        UserError: If the name does not end in .png.
    """
    if path.suffix.lower() != ".png":
        raise UserError(f"cannot write a PNG to {path}: name it {path.with_suffix('.png')}")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            Image.fromarray(image).save(file, format="PNG")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
