"""Backbones whose layers a Boltzmann machine couples: each goes upwards by its weights, and downwards by the same."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from torch import nn

from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.base import BackboneConfig, CanCouple, Encoder
from sandbox.networks.layers.options import LayerOptions
from sandbox.networks.mlp import MLP


def _with_sigmoids(section: Any) -> Any:
    """Give a multilayer perceptron whose activation is not named the one that the machines have."""
    if not isinstance(section, dict) or section.get("name", "mlp") != "mlp":
        return section
    hidden = section.get("hidden")
    widths = {"hidden": tuple(hidden)} if isinstance(hidden, list) else {}  # the field is a tuple, and YAML has lists
    return {"name": "mlp", "activation": "sigmoid", **section, **widths}


def _require_couplings(backbone: BackboneConfig) -> BackboneConfig:
    """Return the backbone.

    Raises:
        ValueError: If its layers cannot be coupled.
    """
    if not isinstance(backbone, MLP):
        raise ValueError(f"the layers of {backbone.name} cannot be coupled to a Boltzmann machine; those of mlp can")
    if not backbone.hidden:
        raise ValueError("hidden needs at least one layer")
    require_sigmoids(backbone)
    if backbone.norm != "none" or backbone.dropout or backbone.spectral_norm or backbone.fourier_octaves:
        raise ValueError(
            "nothing stands between the layers of this machine: leave out norm, dropout, spectral_norm and "
            "fourier_octaves"
        )
    return backbone


def require_sigmoids(backbone: LayerOptions) -> None:
    """Raise ValueError for another activation than the sigmoid."""
    if backbone.activation != "sigmoid":
        raise ValueError(
            f"the units of this machine are sigmoids: activation must be sigmoid, got {backbone.activation}"
        )


CoupledBackbone = Annotated[
    AnyBackbone,
    BeforeValidator(_with_sigmoids),
    AfterValidator(_require_couplings),
    Field(description="network of sigmoid layers whose weights are those of the machine, lowest layer first"),
]


def sigmoids(*hidden: int) -> MLP:
    """Return a multilayer perceptron of sigmoid layers with these widths."""
    return MLP(hidden=hidden, activation="sigmoid")


def layers_of(encoder: Encoder) -> list[nn.Linear]:
    """Return the layers of an encoder made of a `CoupledBackbone`, lowest first."""
    assert isinstance(encoder, CanCouple), "the config has checked it"
    return encoder.couplings()
