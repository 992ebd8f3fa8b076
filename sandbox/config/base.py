"""Base class of all configs: frozen pydantic models that refuse unknown keys."""

from types import ModuleType
from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Config(BaseModel):
    """Base of every config: immutable, no unknown keys, defaults checked like given values."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


def config_in(module: ModuleType) -> type[Config]:
    """Return the config class of a member.

    Of several config classes in the file, it is the one whose `name` is the file's. One that is alone may also have no
    `name` at all.

    Args:
        module: The member's module.

    Raises:
        TypeError: If there is no such class, or there are several.
    """
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Config) and value.__module__ == module.__name__
    ]
    stem = module.__name__.rpartition(".")[2]
    named = [config for config in own if "name" in config.model_fields and config.model_fields["name"].default == stem]
    nameless = [config for config in own if "name" not in config.model_fields]
    if len(named) == 1:
        return named[0]
    if len(own) == 1 and own == nameless:
        return own[0]
    found = ", ".join(config.__name__ for config in named or own) or "none"
    raise TypeError(
        f'{module.__name__} must define one config class with `name: Literal["{stem}"] = "{stem}"`, found: {found}'
    )


def unnamed_is(name: str) -> BeforeValidator:
    """Return a validator that adds `name` to a section that has none, for a union with a usual choice."""

    def filled_in(section: Any) -> Any:
        return {"name": name, **section} if isinstance(section, dict) else section

    return BeforeValidator(filled_in)
