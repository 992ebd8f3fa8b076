"""Convolutions of images with few channels as matrix products: same result as `layer(x)`, several times faster on CPU.

Convolution kernels are optimized for many channels. The gradient of a discriminator's first layer with respect to its
images, and the last layer of a generator, which is the same operation, otherwise take longer than an inner layer with
thirty times as many multiplications.
"""

import torch
from torch import nn
from torch.nn import functional as F

FEW = 4  # channels


def convolve(layer: nn.Conv2d, x: torch.Tensor, padding: int) -> torch.Tensor:
    """Return `layer(x)`; only if x needs a gradient it is computed as a matrix product.

    Args:
        layer: The convolution.
        x: Images [B, C, H, W], channels-last.
        padding: The padding of `layer`.

    Returns:
        Feature maps [B, C', H', W'], channels-last.
    """
    if layer.in_channels > FEW or x.device.type != "cpu" or not x.requires_grad:
        return layer(x)
    kernel = layer.kernel_size
    stride = layer.stride
    patches = F.unfold(x, kernel, padding=padding, stride=stride)  # [B, C * K * K, H' * W']
    rows = F.linear(patches.transpose(1, 2), layer.weight.flatten(1), layer.bias)
    height = (x.shape[2] + 2 * padding - kernel[0]) // stride[0] + 1
    maps = rows.view(len(x), height, -1, layer.out_channels).permute(0, 3, 1, 2)
    return maps.clone()  # because the nonlinearity that follows works in place


def deconvolve(layer: nn.ConvTranspose2d, x: torch.Tensor, padding: int) -> torch.Tensor:
    """Return `layer(x)`, in fp32 if it is computed as a matrix product.

    Args:
        layer: The transposed convolution.
        x: Feature maps [B, C, H, W].
        padding: The padding of `layer`.

    Returns:
        Images [B, C', H', W'].
    """
    if layer.out_channels > FEW or x.device.type != "cpu":
        return layer(x)
    kernel = layer.kernel_size
    stride = layer.stride
    extra = layer.output_padding
    size = [(x.shape[2 + i] - 1) * stride[i] - 2 * padding + kernel[i] + extra[i] for i in range(2)]
    rows = F.linear(x.permute(0, 2, 3, 1).flatten(1, 2), layer.weight.flatten(1).t())  # [B, H * W, C' * K * K]
    images = F.fold(rows.float().transpose(1, 2), (size[0], size[1]), kernel, padding=padding, stride=stride)
    return images if layer.bias is None else images + layer.bias.view(-1, 1, 1)


def _as_channels_last(gradient: torch.Tensor) -> torch.Tensor:
    return gradient.contiguous(memory_format=torch.channels_last)


def flatten_maps(x: torch.Tensor) -> torch.Tensor:
    """Flatten feature maps [B, C, H, W] to [B, C * H * W]; their gradient comes back channels-last, like the maps.

    Where the memory layouts of maps and gradient differ, elementwise kernels take twenty times as long.
    """
    if x.requires_grad:
        x.register_hook(_as_channels_last)  # type: ignore[no-untyped-call]
    return x.flatten(1)
