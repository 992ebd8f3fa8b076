"""Rest: layers that change, or draw random numbers, where a gradient is computed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import nn

from sandbox.networks.layers.activations import RandomizedLeakyReLU
from sandbox.networks.layers.dropout import Dropout
from sandbox.networks.layers.spectral_norm import SpectralNorm

_RESTLESS = Dropout | RandomizedLeakyReLU | SpectralNorm


@contextmanager
def at_rest(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Let networks compute as they do without gradients while the context is entered, so that they do not change."""
    layers = [layer for network in networks for layer in network.modules() if isinstance(layer, _RESTLESS)]
    training = [layer for layer in layers if layer.training]
    for layer in training:
        layer.eval()
    try:
        yield
    finally:
        for layer in training:
            layer.train()
