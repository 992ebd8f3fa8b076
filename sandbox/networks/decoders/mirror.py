"""Selection of the decoder that mirrors a backbone."""

from collections.abc import Sequence
from importlib import import_module

from torch import nn

from sandbox.networks.base import BackboneConfig


def mirror(backbone: BackboneConfig, in_features: int, output_shape: Sequence[int]) -> nn.Module:
    """Build the `Decoder` of the file in this folder that has the backbone's name.

    Args:
        backbone: Config of the backbone; the decoder takes its widths.
        in_features: Number of input features.
        output_shape: Shape of one image or observation.

    Returns:
        A network [B, in_features] -> logits [B, *output_shape].

    Raises:
        UserError: if this backbone cannot take images of this shape.
    """
    decoder: type[nn.Module] = import_module(f"sandbox.networks.decoders.{backbone.name}").Decoder
    return decoder(backbone, in_features, output_shape)
