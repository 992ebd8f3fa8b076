"""Backbones whose convolutions a convolutional Boltzmann machine couples; those of dense ones are in `coupling`."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from sandbox.generators._boltzmann.coupling import require_sigmoids
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.base import BackboneConfig, CanCoupleConvolutions, Encoder, PooledConvolution
from sandbox.networks.lenet import LeNet


def _with_sigmoids(section: Any) -> Any:
    """Give a LeNet the options that the machines need, unless it names them itself."""
    if not isinstance(section, dict) or section.get("name", "lenet") != "lenet":
        return section
    lists = {key: tuple(value) for key, value in section.items() if isinstance(value, list)}  # the fields are tuples
    needed = {"name": "lenet", "activation": "sigmoid", "pooling": "probabilistic_max", "padding": 1, "hidden": ()}
    return {**needed, **section, **lists}


def _require_couplings(backbone: BackboneConfig) -> BackboneConfig:
    """Return the backbone.

    Raises:
        ValueError: If its layers cannot be coupled.
    """
    if not isinstance(backbone, LeNet):
        raise ValueError(
            f"the layers of {backbone.name} cannot be coupled to a convolutional Boltzmann machine; those of lenet can"
        )
    require_sigmoids(backbone)
    if backbone.pooling != "probabilistic_max":
        raise ValueError(
            f"this machine pools by probabilities: pooling must be probabilistic_max, got {backbone.pooling}"
        )
    if backbone.hidden:
        raise ValueError(f"this machine couples convolutions alone: hidden must be [], got {list(backbone.hidden)}")
    if backbone.norm != "none" or backbone.dropout or backbone.spectral_norm or backbone.dilation != 1:
        raise ValueError(
            "nothing stands between the layers of this machine: leave out norm, dropout, spectral_norm and dilation"
        )
    return backbone


CoupledConvBackbone = Annotated[
    AnyBackbone,
    BeforeValidator(_with_sigmoids),
    AfterValidator(_require_couplings),
    Field(
        description="convolutions with probabilistic max pooling whose weights are the machine's, lowest layer first"
    ),
]


def convolutions(*channels: int, kernel: int) -> LeNet:
    """Return a LeNet without linear layers, with probabilistic max pooling behind each convolution.

    Args:
        channels: Channels of each convolution, lowest first.
        kernel: Side of the kernels.
    """
    return LeNet(
        channels=channels, kernel=kernel, padding=1, hidden=(), activation="sigmoid", pooling="probabilistic_max"
    )


def layers_of(encoder: Encoder) -> list[PooledConvolution]:
    """Return the layers of an encoder made of a `CoupledConvBackbone`, lowest first."""
    assert isinstance(encoder, CanCoupleConvolutions), "the config has checked it"
    return encoder.pooled_convolutions()
