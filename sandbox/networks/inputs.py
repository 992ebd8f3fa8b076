"""Conversions at the input and the output of networks: bytes to floats, memory layout, precision."""

from typing import Any

import torch
from torch import nn

from sandbox.core.errors import UserError


def as_float(x: torch.Tensor) -> torch.Tensor:
    """Convert the input of a network to floats.

    Args:
        x: Images [B, C, H, W] or other observations, bytes or floats.

    Returns:
        Bytes scaled to [0, 1], in the precision of autocast; floats unchanged, in fp32. Images are channels-last.
    """
    if x.dim() == 4 and not torch.compiler.is_exporting():
        x = _channels_last(x)
    if x.dtype != torch.uint8:
        return x.float()
    device = x.device.type
    precision = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32
    return x.to(precision).div_(255)  # bfloat16 represents all bytes exactly, so this rounds only once


def as_pixels(images: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Move images to `device`, as fp32 in [0, 1].

    Raises:
        UserError: for floats outside [0, 1], including NaN.
    """
    x = as_float(images.to(device)).float()
    if torch.compiler.is_exporting():  # a graph has no errors to raise
        return x
    if images.dtype != torch.uint8 and not bool(((x >= 0) & (x <= 1)).all()):
        low, high = float(x.min()), float(x.max())
        raise UserError(
            f"images must be bytes or floats in [0, 1], but these are floats from {low:g} to {high:g}. "
            "Scale them to [0, 1] first; for bytes that were converted to floats, divide by 255."
        )
    return x


def in_fp32(head: nn.Module, features: torch.Tensor, *more: Any) -> torch.Tensor:
    """Apply the last layer of a network in fp32, even within autocast.

    Near 2 and above, bfloat16 rounds values that differ by a hundredth to the same number, which is too coarse for
    Q-values and logits.

    Args:
        head: The last layer.
        features: Its input.
        more: Further arguments of `head`, passed on as they are.
    """
    with torch.autocast(features.device.type, enabled=False):
        return head(features.float(), *more)


def _channels_last(x: torch.Tensor) -> torch.Tensor:
    """Convert images to the memory layout in which convolutions are fastest.

    Copying one channel at a time takes half as long as PyTorch's own conversion.
    """
    if x.is_contiguous(memory_format=torch.channels_last):
        return x
    y = torch.empty_like(x, memory_format=torch.channels_last)
    for channel in range(x.shape[1]):
        y[:, channel] = x[:, channel]
    return y
