"""What goes into every network, and what comes out of it."""

from typing import Any

import torch
from torch import nn

from sandbox.core.errors import UserError


def as_float(x: torch.Tensor) -> torch.Tensor:
    """Bytes become [0, 1], in autocast's precision; floats stay as they are. Images [B, C, H, W]: channels-last."""
    if x.dim() == 4:
        x = _channels_last(x)
    if x.dtype != torch.uint8:
        return x.float()
    device = x.device.type
    precision = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32
    return x.to(precision).div_(255)  # bytes are exact in bfloat16, too, so this rounds once


def as_pixels(images: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Images on `device` as fp32 in [0, 1]. Bytes always fit; only floats have to be looked at.

    Raises:
        UserError: for floats outside [0, 1], NaN too.
    """
    x = as_float(images.to(device)).float()
    if images.dtype != torch.uint8 and not bool(((x >= 0) & (x <= 1)).all()):
        low, high = float(x.min()), float(x.max())
        raise UserError(
            f"images are bytes or floats in [0, 1], but these are floats from {low:g} to {high:g}. "
            "Bring them to [0, 1] first: bytes that became floats, by images / 255."
        )
    return x


def in_fp32(head: nn.Module, features: torch.Tensor, *more: Any) -> torch.Tensor:
    """The last layer outside autocast: values that differ by a hundredth are one number in bfloat16, from 2 on."""
    with torch.autocast(features.device.type, enabled=False):
        return head(features.float(), *more)


def _channels_last(x: torch.Tensor) -> torch.Tensor:
    """The layout that convolutions are faster in; a channel at a time, since PyTorch's own way takes twice as long."""
    if x.is_contiguous(memory_format=torch.channels_last):
        return x
    y = torch.empty_like(x, memory_format=torch.channels_last)
    for channel in range(x.shape[1]):
        y[:, channel] = x[:, channel]
    return y
