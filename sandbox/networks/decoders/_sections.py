"""The mirror of convolutional backbones that are made of sections; this project's own design."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.networks.layers.activations import inputs_of
from sandbox.networks.layers.norms import map_norms
from sandbox.networks.layers.options import ConvolutionOptions, Sizes

Block = Callable[[int, int], Sequence[nn.Module]]  # channels below and above -> layers that keep the size


class SectionDecoder(nn.Module):
    """Linear layers from features [B, in_features] to the smallest maps, then the encoder's sections in reverse order.

    Each section enlarges the maps to the size that the encoder's section begins with, by repeating pixels, and applies
    a block. A convolution of 3x3 turns the last maps into logits [B, C, H, W].
    """

    def __init__(
        self,
        options: ConvolutionOptions,
        in_features: int,
        hidden: Sequence[int],
        channels: Sequence[int],
        sizes: Sizes,
        block: Block,
    ) -> None:
        """Build the network.

        Args:
            options: The encoder's, but for dropout and spectral norms.
            in_features: Number of input features.
            hidden: Widths of the encoder's linear layers.
            channels: Channels of the image and behind each of the encoder's sections.
            sizes: Height and width of the same maps.
            block: The layers of a section.
        """
        super().__init__()
        self._sizes = sizes[:-1]
        self._start = (inputs_of(options.activation, channels[-1]), *sizes[-1])
        widths = [in_features, *reversed(hidden)]
        self.head = options.linears(widths).append(nn.Linear(widths[-1], math.prod(self._start)))
        single = options.norm == "instance" and math.prod(sizes[-1]) == 1  # this norm makes a single pixel 0
        norms = [] if single else map_norms(options.norm, self._start[0])
        self.start = nn.Sequential(*norms, options.activation_and_dropout())
        above = [channels[1], *channels[1:-1]]
        self.sections = nn.ModuleList(
            nn.Sequential(*block(below, to)) for below, to in zip(channels[1:], above, strict=True)
        )
        self.image = nn.Conv2d(channels[1], channels[0], 3, padding=1)
        options.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        x = self.head(z).view(-1, *self._start)
        x = self.start(x.contiguous(memory_format=torch.channels_last))
        for section, size in zip(reversed(self.sections), reversed(self._sizes), strict=True):
            x = section(F.interpolate(x, size=size))
        return self.image(x)
