"""The heads by name, for configs."""

from typing import Annotated

from pydantic import Field

from sandbox.config import unnamed_is
from sandbox.heads.categorical import Categorical
from sandbox.heads.scalar import Scalar

Head = Annotated[Categorical | Scalar, Field(discriminator="name"), unnamed_is("categorical")]
