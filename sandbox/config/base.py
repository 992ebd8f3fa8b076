"""Configs are frozen pydantic models: unknown keys are refused, and a member's file holds exactly one of them."""

from types import ModuleType
from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Config(BaseModel):
    """Base of every config: immutable, no unknown keys, defaults checked like given values."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


def config_in(module: ModuleType) -> type[Config]:
    """The config class of the member that `module` is: the one whose `name` is the file's, or else the only one.

    Raises:
        TypeError: if there is none, or several; a file is one member.
    """
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Config) and value.__module__ == module.__name__
    ]
    stem = module.__name__.rpartition(".")[2]
    named = [config for config in own if "name" in config.model_fields and config.model_fields["name"].default == stem]
    found = named or own
    if len(found) != 1:
        raise TypeError(
            f'{module.__name__} must define one config class with `name: Literal["{stem}"] = "{stem}"`, '
            f"found {[config.__name__ for config in found]}"
        )
    return found[0]


def unnamed_is(name: str) -> BeforeValidator:
    """A section that does not say which of several it is, is the one of this name."""

    def filled_in(section: Any) -> Any:
        return {"name": name, **section} if isinstance(section, dict) else section

    return BeforeValidator(filled_in)
