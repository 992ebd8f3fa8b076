"""The optimisers by name, for configs: the folder is the registry. A section without a name is Adam's."""

from functools import reduce
from importlib import import_module
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from sandbox.config import config_in, unnamed_is
from sandbox.optimizers.optimizer import OptimizerConfig

if TYPE_CHECKING:
    AnyOptimizer = OptimizerConfig
else:
    _files = [file.stem for file in sorted(Path(__file__).parent.glob("[!_]*.py"))]
    _names = [name for name in _files if name not in ("choice", "optimizer")]
    _configs = [config_in(import_module(f"sandbox.optimizers.{name}"), OptimizerConfig) for name in _names]
    AnyOptimizer = Annotated[reduce(or_, _configs), Field(discriminator="name"), unnamed_is("adam")]
