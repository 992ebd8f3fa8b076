"""Images with a missing square, and what can be put there without having learnt anything."""

import torch
from torch.nn import functional as F

MISSING = 0.5  # a grey that no byte / 255 is, so that what is missing can be told from what is grey


def missing(sources: torch.Tensor) -> torch.Tensor:
    """Where floats [B, C, H, W] have the grey of what is missing in all channels: bool [B, 1, H, W]."""
    return (sources == MISSING).all(1, keepdim=True)


def without(images: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Floats [B, C, H, W] with the grey of what is missing where bool [B, 1, H, W] says."""
    return images.masked_fill(where, MISSING)


def squares(corners: torch.Tensor, side: int, height: int, width: int) -> torch.Tensor:
    """Squares of `side` with upper left corners [B, 2] (row, column): bool [B, 1, height, width]."""
    rows, columns = torch.arange(height, device=corners.device), torch.arange(width, device=corners.device)
    top, left = corners[:, :1], corners[:, 1:]
    down, right = (rows >= top) & (rows < top + side), (columns >= left) & (columns < left + side)
    return (down[:, :, None] & right[:, None])[:, None]


def surrounding_mean(sources: torch.Tensor) -> torch.Tensor:
    """What is missing becomes its image's mean known pixel, a channel at a time."""
    known = ~missing(sources)
    mean = (sources * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp(min=1)
    return torch.where(known, sources, mean)


def blurred(sources: torch.Tensor, steps: int = 200) -> torch.Tensor:
    """What is missing becomes smooth between its borders: so many times the mean of its four neighbours."""
    known, x = ~missing(sources), surrounding_mean(sources)
    for _ in range(steps):
        around = F.pad(x, (1, 1, 1, 1), mode="replicate")
        neighbours = around[:, :, :-2, 1:-1] + around[:, :, 2:, 1:-1] + around[:, :, 1:-1, :-2] + around[:, :, 1:-1, 2:]
        x = torch.where(known, sources, neighbours / 4)
    return x
