"""The backbones by name: `config.make(shape)` is an encoder with `.out_features`, `config.mirror(...)` its decoder."""

from typing import Annotated

from pydantic import Field

from sandbox.networks.impala import Impala
from sandbox.networks.mlp import MLP
from sandbox.networks.nature import Nature

Backbone = Annotated[MLP | Nature | Impala, Field(discriminator="name")]
