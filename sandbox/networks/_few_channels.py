"""Convolutions of images with few channels, by matrix products: the sums of `layer(x)`, several times faster on a CPU.

Convolution kernels want many channels. The slope of a discriminator's first layer at its images, and a generator's last
layer, which is the same thing, take them longer than a layer in between with thirty times as many multiplications.
"""

import torch
from torch import nn
from torch.nn import functional as F

FEW = 4  # channels


def convolve(layer: nn.Conv2d, x: torch.Tensor, padding: int) -> torch.Tensor:
    """`layer(x)`, [B, C, H, W] -> [B, C', H', W'], channels-last; `padding` is the layer's.

    Another way only where x is to have a slope.
    """
    if layer.in_channels > FEW or x.device.type != "cpu" or not x.requires_grad:
        return layer(x)
    kernel, stride = layer.kernel_size, layer.stride
    patches = F.unfold(x, kernel, padding=padding, stride=stride)  # [B, C * K * K, H' * W']
    rows = F.linear(patches.transpose(1, 2), layer.weight.flatten(1), layer.bias)
    height = (x.shape[2] + 2 * padding - kernel[0]) // stride[0] + 1
    return rows.view(len(x), height, -1, layer.out_channels).permute(0, 3, 1, 2).clone()  # what follows is in place


def deconvolve(layer: nn.ConvTranspose2d, x: torch.Tensor, padding: int) -> torch.Tensor:
    """`layer(x)`, [B, C, H, W] -> [B, C', H', W'], of few channels in fp32; `padding` is the layer's."""
    if layer.out_channels > FEW or x.device.type != "cpu":
        return layer(x)
    kernel, stride, more = layer.kernel_size, layer.stride, layer.output_padding
    height, width = ((x.shape[2 + i] - 1) * stride[i] - 2 * padding + kernel[i] + more[i] for i in range(2))
    rows = F.linear(x.permute(0, 2, 3, 1).flatten(1, 2), layer.weight.flatten(1).t())  # [B, H * W, C' * K * K]
    images = F.fold(rows.float().transpose(1, 2), (height, width), kernel, padding=padding, stride=stride)
    return images if layer.bias is None else images + layer.bias.view(-1, 1, 1)


def _as_channels_last(slope: torch.Tensor) -> torch.Tensor:
    return slope.contiguous(memory_format=torch.channels_last)


def flat(x: torch.Tensor) -> torch.Tensor:
    """Maps [B, C, H, W] -> [B, C * H * W], whose gradient comes back channels-last, as the maps are.

    Where the layouts of maps and gradient differ, elementwise kernels take twenty times as long.
    """
    if x.requires_grad:
        x.register_hook(_as_channels_last)  # type: ignore[no-untyped-call]
    return x.flatten(1)
