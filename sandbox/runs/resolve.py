"""Resolves files and overrides to the checked config of a run; a message lists every mistake at once."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, BeforeValidator, ValidationError, create_model

from sandbox.config.error_messages import explain, line_of
from sandbox.config.files import load
from sandbox.config.schema import Model, models, tags
from sandbox.config.yaml_text import KeyPath, Origin, Origins
from sandbox.core.errors import UserError
from sandbox.runs import registry
from sandbox.runs.config import RUN_KINDS, AgentRun, RunConfig, RunOptions
from sandbox.runs.remembered_members import add_remembered
from sandbox.storage.run_folder import RunFolder


def resolve(files: Sequence[str | Path], overrides: Sequence[str], typed: str = "command line") -> RunConfig:
    """Merge files and overrides, check them and fill in the defaults.

    Args:
        files: Paths, or names of shipped configs; later files win.
        overrides: `key=value` each; they win over the files.
        typed: Where the overrides were given, for messages.

    Raises:
        UserError: With every mistake, one a line.
    """
    raw, origins = load(files, overrides, registry.configs(), typed)
    raw.pop("members", None)  # sandbox.cli and sandbox.api have added them
    for file in map(Path, files):
        if file.with_name("run.json").is_file():  # a run's config, whose members its owner has named before
            add_remembered(raw, file.parent)
    return checked(raw, origins)


def config_of(folder: RunFolder, overrides: Sequence[str] = ()) -> RunConfig:
    """Return the config of a run folder, with overrides.

    Raises:
        UserError: If the folder was written by a version whose runs this one does not read, for a member that is not
            known here, or with every mistake.
    """
    folder.require_readable()
    raw, origins = load([folder.config], overrides, registry.configs())
    add_remembered(raw, folder.path)
    return checked(raw, origins)


def checked(raw: Mapping[str, Any], origins: Origins) -> RunConfig:
    """Check a mapping and fill in the defaults.

    Args:
        raw: Options of a run; a section that is None counts as absent.
        origins: Where key paths were written; `()` is the origin of those that are missing.

    Raises:
        UserError: With every mistake, one a line.
    """
    raw = {key: value for key, value in raw.items() if value is not None or key not in registry.SECTIONS}
    given = [key for key in registry.SECTIONS if key in raw]
    if isinstance(place := raw.get("data"), str) and Path(place).exists():
        raise UserError(
            f"{origins[('data',)]}: needs a section. For the images in a file or folder: "
            f'"data={{name: images, root: {place}}}"'
        )
    kind = next((kind for kind in RUN_KINDS if set(given) == set(kind.sections)), None)
    if kind is None:
        shared = {key: value for key, value in raw.items() if key in given or not _is_special(key)}
        _, lines = _validated(shared, origins, _with_members(RunOptions, shared))
        words = " and ".join(given) or "neither"
        _refuse(
            [
                *lines,
                f"{_origin_of_kinds(origins)}: give either env and agent, or data and generator; this gives {words}.",
            ]
        )
    misplaced = [key for key in raw if _is_special(key) and key not in kind.model_fields]
    own = {key: value for key, value in raw.items() if key not in misplaced}
    run, lines = _validated(own, origins, _with_members(kind, own))
    lines += [line_of(origins[(key,)], (key,), _misplaced(kind)) for key in misplaced]
    if run is None or lines:
        _refuse(lines)
    return kind(**dict(run))  # of the one class, so that equal configs are equal


def member(family: str, raw: Mapping[str, Any], where: str, above: KeyPath = ()) -> Any:
    """Return the config of a member.

    Args:
        family: Family of the member, such as `envs`.
        raw: Options of the member, its `name` included.
        where: Where they were written, such as `data.env`; for messages.
        above: Key path that is typed in front of the options.

    Raises:
        UserError: With every mistake, one a line.
    """
    config, lines = _validated(raw, {(): Origin(where)}, _section_type(family, raw), above)
    if config is None:
        _refuse(lines)
    return config


def completed(model: Model, given: Mapping[str, Any], default: BaseModel | None = None) -> dict[str, Any]:
    """Return `given` with the options that a section's default sets and `given` leaves out.

    So `optimizer.lr=1e-3` keeps an agent's own `eps`. A section that names another member than the default does, or
    has the options of another one, has that member's own defaults.

    Args:
        model: Config class of the section.
        given: Options of the section.
        default: Default of the section, if it has one.
    """
    values = dict(default or {})
    own = default.model_dump(mode="json", include=default.model_fields_set) if default else {}
    whole = {**own, **given}
    for name, field in model.model_fields.items():
        section = given.get(name)
        if not isinstance(section, dict):
            continue
        inner_default = values.get(name, field.default)
        for rule in field.metadata:
            if isinstance(rule, BeforeValidator):  # such as `unnamed_is`
                section = rule.func(section)  # type: ignore[call-arg]
        kinds = models(field.annotation)
        for kind in kinds:
            if len(kinds) == 1 or section.get("name") in tags(kind):
                whole[name] = completed(kind, section, inner_default if type(inner_default) is kind else None)
    return whole


def _origin_of_kinds(origins: Origins) -> Origin:
    """Return the place of sections that do not go together: the override that adds or removes one, or the files."""
    for section in registry.SECTIONS:
        found = [origin for path, origin in origins.items() if path[:1] == (section,)]
        if found and not any(origin.line for origin in found):
            return origins[()] if found[0].source.startswith(f"{origins[()].source}: ") else found[0]
    return origins[()]


def _is_special(key: str) -> bool:
    """Return whether only one kind of run has the option."""
    return sum(key in kind.model_fields for kind in RUN_KINDS) == 1


def _misplaced(kind: type[RunConfig]) -> str:
    other = "a generator" if kind is AgentRun else "an agent"
    return f"only a run that trains {other} has this option; leave it out."


def _with_members(kind: type[RunOptions], raw: Mapping[str, Any]) -> type[RunOptions]:
    """Return `kind` with the config classes of the members that `raw` names, so that one validation checks all."""
    fields: Any = {
        section: (_section_type(family, raw[section]), ...)
        for section, family in registry.SECTIONS.items()
        if section in raw
    }
    return create_model(kind.__name__, __base__=kind, **fields)


def _section_type(family: str, raw: Any) -> Any:
    """Return the config class of the member that `raw` names; without a known name, a class that asks for one."""
    known = registry.names(family)
    if isinstance(raw, Mapping) and raw.get("name") in known:
        return registry.config_class(family, raw["name"])
    name: Any = Literal[tuple(known)]
    return create_model("Unnamed", name=(name, ...))


def _validated(
    raw: Mapping[str, Any], origins: Origins, model: type[BaseModel], above: KeyPath = ()
) -> tuple[BaseModel | None, list[str]]:
    """Validate as strict JSON: lists are tuples, but neither is `true` the number 1 nor `"5"` the number 5.

    Returns:
        The config and no lines, or None and a line for every mistake.
    """
    try:
        return model.model_validate_json(json.dumps(completed(model, raw)), strict=True), []
    except ValidationError as error:
        return None, explain(error, origins, model, raw, above).splitlines()


def _refuse(lines: Sequence[str]) -> NoReturn:
    raise UserError(lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} mistakes:", *lines]))
