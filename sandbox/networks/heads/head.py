"""The union of all heads, for configs. A section without a name is categorical."""

from typing import Annotated

from pydantic import Field

from sandbox.config.base import unnamed_is
from sandbox.networks.heads.categorical import Categorical
from sandbox.networks.heads.scalar import Scalar

Head = Annotated[Categorical | Scalar, Field(discriminator="name"), unnamed_is("categorical")]
