"""Receptive fields and multiply-adds of PyTorch's operations.

Source: Araujo et al. 2019, "Computing Receptive Fields of Convolutional Neural Networks".
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

MAPS = 4  # dimensions of a batch of images or feature maps


class ReceptiveField(NamedTuple):
    """The part of the input on which one position of a feature map depends.

    Attributes:
        size: Its height and width in pixels; infinity means the whole input.
        jump: Distance in pixels between the receptive fields of neighboring positions, vertically and horizontally.
    """

    size: tuple[float, float]
    jump: tuple[float, float]


ONE_PIXEL = ReceptiveField((1.0, 1.0), (1.0, 1.0))
WHOLE = ReceptiveField((math.inf, math.inf), (1.0, 1.0))


def joined(fields: Sequence[ReceptiveField]) -> ReceptiveField:
    """Return the receptive field of a result of several maps: the largest of theirs."""
    if not fields:
        return ONE_PIXEL
    sizes, jumps = zip(*fields, strict=True)
    return ReceptiveField(
        (max(h for h, _ in sizes), max(w for _, w in sizes)), (max(h for h, _ in jumps), max(w for _, w in jumps))
    )


def field_after(name: str, args: Sequence[Any], output: torch.Tensor, before: ReceptiveField) -> ReceptiveField:
    """Return the receptive field of the result of an operation.

    Args:
        name: Name of the operation in PyTorch's `aten`.
        args: Its arguments.
        output: Its result.
        before: ReceptiveField of its arguments.
    """
    match name:
        case "convolution":
            return _convolved(before, args[1].shape[2:], args[3], args[5], transposed=args[6])
        case "max_pool2d_with_indices" | "avg_pool2d" | "max_pool2d":
            kernel = _pair(args[1])
            return _scaled(_grown(before, kernel), _pair(args[2]) if len(args) > 2 and args[2] else kernel)
        case "_adaptive_avg_pool2d" | "adaptive_max_pool2d":
            ratio = _ratio(args[0], output)
            if output.shape[-2:].numel() == 1:
                return WHOLE
            return _scaled(_grown(before, (math.ceil(ratio[0]), math.ceil(ratio[1]))), ratio)
        case "mean" | "amax" | "sum" if args and _is_over_maps(args):
            return WHOLE
        case _ if name.startswith("upsample_nearest"):
            return _scaled(before, _ratio(args[0], output))
        case _ if name.startswith("upsample_"):
            return _scaled(_grown(before, (2, 2)), _ratio(args[0], output))
        case "mm" | "addmm" | "bmm" | "baddbmm" | "linear":
            return WHOLE
        case _ if "scaled_dot_product" in name or "multi_head_attention" in name:
            return WHOLE
    return before


def field_of_layer(layer: nn.Module, before: ReceptiveField) -> ReceptiveField | None:
    """Return the receptive field after a convolution that was computed as a product of matrices; None for others."""
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        transposed = isinstance(layer, nn.ConvTranspose2d)
        return _convolved(before, layer.kernel_size, layer.stride, layer.dilation, transposed=transposed)
    return None


def _convolved(
    before: ReceptiveField,
    kernels: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    *,
    transposed: bool,
) -> ReceptiveField:
    kernel, stride, dilation = _pair(kernels), _pair(strides), _pair(dilations)
    if transposed:
        reached = (math.ceil(kernel[0] / stride[0]), math.ceil(kernel[1] / stride[1]))
        return _scaled(_grown(before, reached), (1 / stride[0], 1 / stride[1]))
    reached = (dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1)
    return _scaled(_grown(before, reached), stride)


def multiply_adds(name: str, args: Sequence[Any], output: torch.Tensor) -> int:
    """Return the number of multiply-adds of an operation; only matrix products and convolutions have any.

    Args:
        name: Name of the operation in PyTorch's `aten`.
        args: Its arguments.
        output: Its result.
    """
    match name:
        case "convolution":
            return (args[0] if args[6] else output).numel() * args[1][0].numel()
        case "mm" | "bmm":
            return output.numel() * int(args[0].shape[-1])
        case "addmm" | "baddbmm" | "linear":
            return output.numel() * int(args[1].shape[-1])
        case _ if "scaled_dot_product" in name and "backward" not in name:
            query, key, value = args[:3]
            return query.shape[:-1].numel() * int(key.shape[-2]) * int(query.shape[-1] + value.shape[-1])
        case "_native_multi_head_attention":
            query, key, _, size = args[:4]
            products = query.shape[0] * query.shape[1] * key.shape[1] * 2 * size
            return int(products + (2 * query.shape[0] * query.shape[1] + 2 * key.shape[0] * key.shape[1]) * size * size)
    return 0


def _pair(sizes: Sequence[int]) -> tuple[int, int]:
    """Return the last two sizes, height and width; a single size is both."""
    return (sizes[-2], sizes[-1]) if len(sizes) > 1 else (sizes[0], sizes[0])


def _grown(field: ReceptiveField, reached: tuple[float, float]) -> ReceptiveField:
    """Return the receptive field of a window of `reached` positions."""
    (height, width), (down, right) = field
    return ReceptiveField((height + (reached[0] - 1) * down, width + (reached[1] - 1) * right), field.jump)


def _scaled(field: ReceptiveField, factors: tuple[float, float]) -> ReceptiveField:
    return ReceptiveField(field.size, (field.jump[0] * factors[0], field.jump[1] * factors[1]))


def _ratio(source: torch.Tensor, output: torch.Tensor) -> tuple[float, float]:
    return source.shape[-2] / output.shape[-2], source.shape[-1] / output.shape[-1]


def _is_over_maps(args: Sequence[Any]) -> bool:
    """Return whether a reduction runs over height and width of maps."""
    maps = args[0]
    if not isinstance(maps, torch.Tensor) or maps.dim() != MAPS or len(args) < 2 or not isinstance(args[1], list):
        return False
    return {2, 3} <= {dimension % MAPS for dimension in args[1]}
