"""The union of all optimizers, for configs: the folder is the registry. A section without a name is Adam's."""

from typing import TYPE_CHECKING, Annotated

from sandbox.config.base import unnamed_is
from sandbox.config.unions import configs_in, union_by_name
from sandbox.optimizers.base import OptimizerConfig

if TYPE_CHECKING:
    AnyOptimizer = OptimizerConfig
else:
    _configs = [*configs_in("sandbox.optimizers", OptimizerConfig, skip=["choice"]).values()]
    AnyOptimizer = Annotated[union_by_name(_configs), unnamed_is("adam")]
