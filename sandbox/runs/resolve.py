"""From files and overrides to a checked `RunConfig`: every mistake is told at once."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, BeforeValidator, ValidationError

from sandbox.config.error_messages import explain
from sandbox.config.files import load
from sandbox.config.schema import Model, models, tags
from sandbox.config.yaml_text import Origin, Origins
from sandbox.core.errors import UserError
from sandbox.runs import registry
from sandbox.runs.config import RunConfig, model_for, pairing_problem, section_type


def resolve(files: Sequence[str | Path], overrides: Sequence[str]) -> RunConfig:
    """Merge, check and fill in the defaults; a file is a path or the name of a shipped config.

    Raises:
        UserError: with every mistake, one a line.
    """
    return checked(*load(files, overrides, registry.configs()))


def checked(raw: Mapping[str, Any], origins: Origins) -> RunConfig:
    """The run that `raw` says, with its defaults; `origins` say where its key paths were written, `()` those they lack.

    Raises:
        UserError: with every mistake, one a line.
    """
    run = _check(raw, origins, model_for(raw), pairing_problem(raw))
    return RunConfig(**dict(run))  # of the one class, so that equal configs are equal


def member(family: str, raw: Mapping[str, Any], where: str) -> Any:
    """The config of the member of `family` that `raw` names; `where` says where it was written, such as `data.env`.

    Raises:
        UserError: with every mistake, one a line.
    """
    return _check(raw, {(): Origin(where)}, section_type(family, raw))


def completed(model: Model, given: Mapping[str, Any], usual: BaseModel | None = None) -> dict[str, Any]:
    """`given`, and for options that it leaves out what `usual`, the default of this section, says of them.

    So `optimizer.lr=1e-3` keeps an agent's own `eps`. A section that names something else than the default does, or by
    its options is something else, has that one's own defaults.
    """
    values = dict(usual or {})
    own = usual.model_dump(mode="json", include=usual.model_fields_set) if usual else {}
    whole = {**own, **given}
    for name, field in model.model_fields.items():
        section, kinds, default = given.get(name), models(field.annotation), values.get(name, field.default)
        if not isinstance(section, dict):
            continue
        for rule in field.metadata:
            if isinstance(rule, BeforeValidator):  # such as `unnamed_is`
                section = rule.func(section)  # type: ignore[call-arg]
        for kind in kinds:
            if len(kinds) == 1 or section.get("name") in tags(kind):
                whole[name] = completed(kind, section, default if type(default) is kind else None)
    return whole


def _check(raw: Mapping[str, Any], origins: Origins, model: type[BaseModel], rule: str | None = None) -> BaseModel:
    """Validate as strict JSON: lists are tuples, but neither is `true` the number 1 nor `"5"` the number 5."""
    try:
        return model.model_validate_json(json.dumps(completed(model, raw)), strict=True)
    except ValidationError as error:
        lines = explain(error, origins, model).splitlines()
        told = any(details["loc"] == () for details in error.errors(include_url=False))
        if rule is not None and not told:  # pydantic asks for the rule only where all else is right
            lines.append(f"{origins[()]}: {rule}.")
        raise UserError(lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} mistakes:", *lines])) from None
