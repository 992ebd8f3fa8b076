"""The generator of Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks".

A U-Net: convolutions that halve an image down to a few pixels, and transposed convolutions back up, with a skip
connection at each level.
Deviations: any widths; images of any size; instance normalization (as the paper's batch norm is at its batch size of
1), none where a single pixel is left; the outputs are logits.
"""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.halving import halved_sides
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.initial import initialize_as_dcgan

_DROPOUT_LEVELS = 3  # the lowest ones, as in the paper


class UNet(nn.Module):
    """Translates images to images of the same size."""

    def __init__(self, shape: Sequence[int], out_channels: int, channels: Sequence[int], dropout: float) -> None:
        """Build the network.

        Args:
            shape: Shape [C', H, W] of the input.
            out_channels: Channels of the output.
            channels: Widths of the levels, each half as large as the one before.
            dropout: Dropout rate of the three lowest levels on the way up.

        Raises:
            UserError: For images that are too small to be halved so often.
        """
        super().__init__()
        sides, widths = halved_sides(shape, len(channels), "U-Net"), [shape[0], *channels]
        self._dropout, self._depth = dropout, len(channels)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i in range(self._depth):
            has_norm = i > 0 and max(sides[i + 1]) > 1
            self.down.append(
                nn.Sequential(
                    *([nn.LeakyReLU(0.2)] if i else []),
                    nn.Conv2d(widths[i], widths[i + 1], 4, 2, 1),
                    *([nn.InstanceNorm2d(widths[i + 1], affine=True)] if has_norm else []),
                )
            )
            odd = (sides[i][0] % 2, sides[i][1] % 2)  # the row and the column that halving dropped
            below = widths[i + 1] * (1 if i == self._depth - 1 else 2)
            above = widths[i] if i else out_channels
            self.up.append(
                nn.Sequential(
                    nn.ReLU(),
                    nn.ConvTranspose2d(below, above, 4, 2, 1, odd),
                    *([nn.InstanceNorm2d(above, affine=True)] if i else []),
                )
            )
        initialize_as_dcgan(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, sources: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """Return logits [B, out_channels, H, W].

        Args:
            sources: [B, C', H, W], bytes or floats in [0, 1].
            noise: Random generator of the dropout, which is always on.
        """
        x, levels = 2 * as_float(sources) - 1, []
        for layer in self.down:
            x = layer(x)
            levels.append(x)
        for i in reversed(range(self._depth)):
            if i < self._depth - 1:
                x = torch.cat([x, levels[i]], 1)
            x = self.up[i](x)
            if i > 0 and i >= self._depth - _DROPOUT_LEVELS:
                x = dropout(x, self._dropout, noise)
        return x


def dropout(x: torch.Tensor, rate: float, noise: torch.Generator) -> torch.Tensor:
    """Set each element to 0 with probability `rate`, drawn from `noise`, and divide the others by 1 - rate."""
    if rate == 0:
        return x
    kept = torch.empty_like(x).bernoulli_(1 - rate, generator=noise)
    return x * kept / (1 - rate)
