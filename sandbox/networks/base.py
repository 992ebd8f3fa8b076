"""Interfaces of backbones: the encoder network, and the config class that builds it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from sandbox.config.base import Config


class Encoder(nn.Module):
    """A network from observations or images [B, *input_shape], bytes or floats, to features [B, out_features].

    Attributes:
        out_features: Number of features.
    """

    out_features: int


class HoldsNetwork(ABC):
    """A part of a learner that saves a network in a format of its own.

    Attributes:
        network: The network.
    """

    network: nn.Module


class CanCouple(ABC):
    """A network whose layers a Boltzmann machine can couple.

    Each layer goes upwards by its weights and, transposed, downwards. Nothing but sigmoids stands between them, which
    the generators require.
    """

    @abstractmethod
    def couplings(self) -> list[nn.Linear]:
        """Return the layers, from the input on."""


class PooledConvolution(NamedTuple):
    """A convolution, and the side of the windows in which probabilistic max pooling gathers its outputs."""

    convolution: nn.Conv2d
    pool: int


class CanCoupleConvolutions(ABC):
    """An encoder whose convolutions a convolutional Boltzmann machine can couple.

    Each goes upwards by its weights and downwards by the transposed convolution. Nothing but probabilistic max pooling
    stands between them, which the generators require.
    """

    @abstractmethod
    def pooled_convolutions(self) -> list[PooledConvolution]:
        """Return the convolutions with their pooling, lowest first."""


class BackboneConfig(Config):
    """Base of the backbones' configs; a file under `sandbox/networks/` defines at most one."""

    name: str

    @abstractmethod
    def make(self, input_shape: Sequence[int]) -> Encoder:
        """Build the encoder.

        Args:
            input_shape: Shape of one input, [C, H, W] for images.

        Raises:
            UserError: if this backbone cannot take inputs of this shape.
        """
