"""The wrappers by name, for configs: the folder is the registry. In YAML: `wrappers: [{flicker: {p: 0.5}}]`."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import create_model, model_serializer, model_validator

from sandbox.config import Config, config_in
from sandbox.wrapping import WrapperConfig


class OneWrapper(Config):
    """One wrapper by name, with its options: `flicker: {p: 0.5}`."""

    @property
    def chosen(self) -> tuple[str, WrapperConfig]:
        """The one that is given, and its name."""
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
    def _only_the_given(self) -> dict[str, Any]:
        name, config = self.chosen
        return {name: config.model_dump(mode="json")}


if TYPE_CHECKING:
    Wrapper = OneWrapper
else:
    _names = [file.stem for file in sorted(Path(__file__).parent.glob("[!_]*.py"))]
    _configs = {name: config_in(import_module(f"sandbox.wrappers.{name}"), WrapperConfig) for name in _names}
    Wrapper = create_model(
        "Wrapper", __base__=OneWrapper, **{name: (config | None, None) for name, config in _configs.items()}
    )
