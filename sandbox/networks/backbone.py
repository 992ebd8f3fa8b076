"""The union of all backbones, for configs: the folder is the registry."""

from typing import TYPE_CHECKING

from sandbox.config.unions import configs_in, union_by_name
from sandbox.networks.base import BackboneConfig

if TYPE_CHECKING:
    Backbone = BackboneConfig
else:
    Backbone = union_by_name([*configs_in("sandbox.networks", BackboneConfig, skip=["backbone"]).values()])
