"""The backbones by name, for configs: the folder is the registry."""

from functools import reduce
from importlib import import_module
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from sandbox.networks.interface import BackboneConfig

if TYPE_CHECKING:
    Backbone = BackboneConfig
else:
    _files = [file.stem for file in sorted(Path(__file__).parent.glob("[!_]*.py")) if file.stem != "backbone"]
    _parts = [part for file in _files for part in vars(import_module(f"sandbox.networks.{file}")).values()]
    _configs = [part for part in _parts if isinstance(part, type) and issubclass(part, BackboneConfig)]
    _own = [part for part in dict.fromkeys(_configs) if part is not BackboneConfig]
    Backbone = Annotated[reduce(or_, _own), Field(discriminator="name")]
