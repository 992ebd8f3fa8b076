"""The wrappers by name, for configs: every file of this folder is one. In YAML: `wrappers: [{flicker: {p: 0.5}}]`."""

from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, create_model, model_serializer, model_validator

from sandbox.config.base import Config
from sandbox.config.unions import configs_in
from sandbox.environments.wrapper import WrapperConfig


class OneWrapper(Config):
    """One wrapper by name, with its options: `flicker: {p: 0.5}`."""

    @property
    def chosen(self) -> tuple[str, WrapperConfig]:
        """The name and the config of the wrapper."""
        return next((name, config) for name, config in self if config is not None)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name, config in self if config is not None]
        if len(given) != 1:
            raise ValueError(
                "an item is one wrapper with its options, such as `flicker: {p: 0.5}` (`flicker: {}` for the "
                f"defaults); this has {' and '.join(given) or 'none'}. Known: {', '.join(type(self).model_fields)}"
            )
        return self

    @model_serializer
    def _without_others(self) -> dict[str, Any]:
        name, config = self.chosen
        return {name: config.model_dump(mode="json")}


if TYPE_CHECKING:
    Wrapper = OneWrapper
else:
    _configs = configs_in("sandbox.environments.wrappers", WrapperConfig)
    Wrapper = create_model(
        "Wrapper",
        __base__=OneWrapper,
        **{
            name: (config | None, Field(None, description=f"options of the {name} wrapper"))
            for name, config in _configs.items()
        },
    )
