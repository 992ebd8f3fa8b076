"""The union of all backbones, for configs: any file of this folder that defines a `BackboneConfig` takes part.

Importing this module imports every file of the folder.
"""

from typing import TYPE_CHECKING

from sandbox.config.unions import configs_in, union_by_name
from sandbox.networks.base import BackboneConfig

if TYPE_CHECKING:
    AnyBackbone = BackboneConfig
else:
    _BACKBONES = configs_in("sandbox.networks", BackboneConfig, skip=["backbone"])
    AnyBackbone = union_by_name(list(_BACKBONES.values()))
