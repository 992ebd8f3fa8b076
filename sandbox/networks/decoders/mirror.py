"""The decoder that mirrors a backbone, by the backbone's name: the folder is the registry."""

from collections.abc import Sequence
from importlib import import_module

from torch import nn

from sandbox.networks.base import BackboneConfig


def mirror(backbone: BackboneConfig, in_features: int, output_shape: Sequence[int]) -> nn.Module:
    """[B, in_features] -> logits [B, *output_shape]: the `Decoder` of the file that is called as the backbone is.

    Raises:
        UserError: for shapes that this backbone cannot take.
    """
    decoder: type[nn.Module] = import_module(f"sandbox.networks.decoders.{backbone.name}").Decoder
    return decoder(backbone, in_features, output_shape)
