"""Configs are frozen pydantic models: unknown keys are refused, and a member's file holds exactly one of them."""

from types import ModuleType
from typing import Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Config(BaseModel):
    """Base of every config: immutable, no unknown keys, defaults checked like given values."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


Kind = TypeVar("Kind", bound=Config)


def config_in(module: ModuleType, kind: type[Kind]) -> type[Kind]:
    """The one config class of `kind` that `module` defines.

    Raises:
        TypeError: if the file defines none or several; a file is one member.
    """
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, kind) and value.__module__ == module.__name__
    ]
    if len(own) != 1:
        raise TypeError(f"{module.__name__} must define exactly one {kind.__name__}, found {[c.__name__ for c in own]}")
    return own[0]


def unnamed_is(name: str) -> BeforeValidator:
    """A section that does not say which of several it is, is the one of this name."""

    def filled_in(section: Any) -> Any:
        return {"name": name, **section} if isinstance(section, dict) else section

    return BeforeValidator(filled_in)
