"""Initial weights by name."""

from typing import Literal

from torch import nn

Initial = Literal["torch", "xavier", "he", "orthogonal", "dcgan"]
Weighted = nn.Linear | nn.Conv2d | nn.ConvTranspose2d


def initialize(layer: Weighted, name: Initial) -> None:
    """Draw the weights of a layer anew, and set its biases to 0; `torch` leaves both as PyTorch made them.

    Args:
        layer: The layer.
        name: `xavier` (Glorot & Bengio 2010, uniform), `he` (He et al. 2015, normal, for ReLUs), `orthogonal` (Saxe et
            al. 2014, times the root of 2 for ReLUs), `dcgan` (Radford et al. 2016, N(0, 0.02^2)) or `torch`.
    """
    match name:
        case "xavier":
            nn.init.xavier_uniform_(layer.weight)
        case "he":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        case "orthogonal":
            nn.init.orthogonal_(layer.weight, nn.init.calculate_gain("relu"))
        case "dcgan":
            nn.init.normal_(layer.weight, 0.0, 0.02)
    if layer.bias is not None and name != "torch":
        nn.init.zeros_(layer.bias)


def initialize_as_dcgan(module: nn.Module) -> None:
    """Draw the weights of all layers of a network from N(0, 0.02^2), and set their biases to 0."""
    for layer in module.modules():
        if isinstance(layer, Weighted):
            initialize(layer, "dcgan")
