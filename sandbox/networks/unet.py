"""The generator of Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks".

From an image down to a few pixels and back up, each level beside what it was on the way down.
Deviations: the widths can be changed; images of any size; instance normalisation (the paper's batch norm, at its batch
size of 1), none where a single pixel is left; logits come out.
"""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.halving import halved_sides
from sandbox.networks.inputs import as_float
from sandbox.networks.strided import initialise

_DROPPING = 3  # levels from the bottom up, as in the paper


class UNet(nn.Module):
    """Sources [B, C', H, W], bytes or floats in [0, 1] -> logits [B, out_channels, H, W]."""

    def __init__(self, shape: Sequence[int], out_channels: int, channels: Sequence[int], dropout: float) -> None:
        """`shape`: of a source; `channels`: of the levels, each half as large as the one before.

        Raises UserError for images that cannot be halved so many times.
        """
        super().__init__()
        sides, widths = halved_sides(shape, len(channels), "U-Net"), [shape[0], *channels]
        self._dropout, self._depth = dropout, len(channels)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i in range(self._depth):
            normalised = i > 0 and max(sides[i + 1]) > 1
            self.down.append(
                nn.Sequential(
                    *([nn.LeakyReLU(0.2)] if i else []),
                    nn.Conv2d(widths[i], widths[i + 1], 4, 2, 1),
                    *([nn.InstanceNorm2d(widths[i + 1], affine=True)] if normalised else []),
                )
            )
            odd = (sides[i][0] % 2, sides[i][1] % 2)  # what halving left out
            below = widths[i + 1] * (1 if i == self._depth - 1 else 2)
            above = widths[i] if i else out_channels
            self.up.append(
                nn.Sequential(
                    nn.ReLU(),
                    nn.ConvTranspose2d(below, above, 4, 2, 1, odd),
                    *([nn.InstanceNorm2d(above, affine=True)] if i else []),
                )
            )
        self.apply(initialise)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, sources: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """`noise` draws what is dropped on the way up, the only thing that two outputs for one source differ by."""
        x, levels = 2 * as_float(sources) - 1, []
        for layer in self.down:
            x = layer(x)
            levels.append(x)
        for i in reversed(range(self._depth)):
            if i < self._depth - 1:
                x = torch.cat([x, levels[i]], 1)
            x = self.up[i](x)
            if i > 0 and i >= self._depth - _DROPPING:
                x = dropped(x, self._dropout, noise)
        return x


def dropped(x: torch.Tensor, share: float, noise: torch.Generator) -> torch.Tensor:
    """Each number is 0 with probability `share`, and otherwise divided by 1 - share; `noise` draws."""
    if share == 0:
        return x
    kept = torch.empty_like(x).bernoulli_(1 - share, generator=noise)
    return x * kept / (1 - share)
