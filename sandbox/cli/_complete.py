"""Names and options that the shell completes, one function for each kind of argument.

Users' files are read, never imported. A file that cannot be read adds no completions.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from sandbox.core.errors import UserError

GROUPS = ("envs", "wrappers", "agents", "generators", "backbones", "data", "configs")
_PLAIN = re.compile(r"[\w.@/~+=:,%][\w.@/~+=:,%-]*")  # no shell reads anything else into such a word
_COMPUTE = ("device", "precision", "threads")  # options of a run that an evaluation may change
_CONFIG_FILES = (".yaml", ".yml")
_STATES = {"finished": ("true", "false"), "state": ("running", "stopped", "finished")}


def complete_groups(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return groups of `sandbox list`."""
    return [] if ctx.params.get("words") else _beginning(GROUPS, incomplete)


def complete_runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return names of runs in the folder of `--runs`; behind `NAME@`, the steps of its checkpoints."""
    name, at, _ = incomplete.rpartition("@")
    if at:
        return _beginning((f"{name}@{step}" for step in _steps(ctx, name)), incomplete)
    return _beginning(["latest", *_runs(ctx)], incomplete)


def complete_selected(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return names of runs and sweeps, and filters such as `env=catch`."""
    return [*complete_runs(ctx, incomplete), *_beginning(_sweeps(ctx), incomplete), *_filters(ctx, incomplete)]


def complete_listed(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return filters of `sandbox runs`; names of runs behind `diff`."""
    words = ctx.params.get("words") or []
    if words[:1] == ["diff"]:
        return complete_runs(ctx, incomplete)
    return [*_beginning([] if words else ["diff"], incomplete), *_filters(ctx, incomplete)]


def complete_training(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return names of configs and YAML files; behind one, the options of the run if any fits."""
    from sandbox.runs import registry

    words = ctx.params.get("words") or []
    files = [*_beginning(registry.configs(), incomplete), *complete_paths(incomplete, _CONFIG_FILES, folders=False)]
    return files if files and not words else _run_options(ctx, _raw(words), incomplete) or files


def complete_evaluated(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return names of runs, and the options of the runs given that an evaluation may change."""
    return [*_evaluation_options(ctx, incomplete), *complete_runs(ctx, incomplete)]


def complete_varied(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return options for `sandbox evaluate --vary`."""
    return _evaluation_options(ctx, incomplete) if "=" not in incomplete else []


def complete_resumed(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return names of runs, and the two options that a resumed run takes."""
    if incomplete.startswith("data.root="):
        return [f"data.root={path}" for path in complete_paths(incomplete.removeprefix("data.root="))]
    return [*_beginning(["steps=", "data.root="], incomplete), *complete_runs(ctx, incomplete)]


def complete_played(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return names of environments; behind one, its options, such as `game=breakout` of `atari`."""
    from sandbox.cli._option_tree import member_tree, options
    from sandbox.runs import registry

    words = ctx.params.get("words") or []
    if not words:
        return _beginning(registry.names("envs"), incomplete)
    known = (each for each in options(member_tree("envs", words[0]), _raw(words[1:])) if each.path != "name")
    return _completed({each.path: each.values for each in known}, incomplete)


def complete_shown(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names that `sandbox show` takes: members, also as `agent.dqn`, configs and runs."""
    from sandbox.runs import registry

    words = ctx.params.get("what") or []
    if words:
        raw = _raw(words)  # nothing comes behind a member or a run
        return _run_options(ctx, raw, incomplete) if raw else []
    kinds = {kind: registry.files(family) for kind, family in registry.KINDS.items()}
    kinds |= {"backbone": registry.backbones()}
    names = [name for members in kinds.values() for name in members]
    by_section = [f"{kind}.{name}" for kind, members in kinds.items() for name in members] if "." in incomplete else []
    found = _beginning([*names, *by_section, *registry.configs(), "latest", *_runs(ctx)], incomplete)
    return [*found, *complete_paths(incomplete, _CONFIG_FILES, folders=False)]


def complete_checked(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return names of members and Python files for `sandbox check`; behind one, the options of its run."""
    from sandbox.runs import registry

    words = ctx.params.get("words") or []
    names = {section: registry.names(family) for section, family in registry.SECTIONS.items()}
    if not words:
        known = [name for members in names.values() for name in members]
        return [*_beginning(known, incomplete), *complete_paths(incomplete, (".py",))]
    name = Path(words[0]).stem
    own = [f"{section}.name={name}" for section, members in names.items() if name in members]
    return _run_options(ctx, _raw([*own, *words[1:]]), incomplete)


def complete_benchmarks(incomplete: str) -> list[str]:
    """Return names of benchmarks."""
    from sandbox.config.members import member_files

    return _beginning(member_files("sandbox.bench"), incomplete)


def complete_templates(incomplete: str) -> list[str]:
    """Return kinds of members that `sandbox new` writes."""
    return _beginning(sorted(file.stem for file in Path(__file__).with_name("templates").glob("[!_]*.py")), incomplete)


def complete_members(incomplete: str) -> list[str]:
    """Return files and folders that `--members` may name."""
    return complete_paths(incomplete, (".py", *_CONFIG_FILES))


def complete_paths(incomplete: str, endings: tuple[str, ...] = ("",), *, folders: bool = True) -> list[str]:
    """Return the paths of files and folders; of a folder that is alone, also what is in it.

    Args:
        incomplete: Beginning of a path.
        endings: Endings of the files.
        folders: Whether folders count.
    """
    above, slash, start = incomplete.rpartition("/")
    found = []
    with suppress(OSError, ValueError, RuntimeError):  # a home that nobody has is a RuntimeError
        for entry in sorted(os.scandir(Path(f"{above}{slash}" or ".").expanduser()), key=lambda each: each.name):
            if entry.name.startswith(".") and not start.startswith("."):
                continue
            if entry.is_dir():
                found += [f"{above}{slash}{entry.name}/"] * folders
            elif entry.name.endswith(endings):
                found.append(f"{above}{slash}{entry.name}")
    found = _beginning(found, incomplete)
    if len(found) == 1 and found[0].endswith("/") and found[0] != incomplete:
        return [*found, *complete_paths(found[0], endings, folders=folders)]
    return found


def _run_options(ctx: typer.Context, raw: Mapping[str, Any], incomplete: str) -> list[str]:
    """Return options `key=` of a run, or values of one; of sections that are not chosen only if nothing else fits."""
    from sandbox.cli._option_tree import of_config
    from sandbox.runs import registry

    key, equals, start = incomplete.partition("=")
    if equals and key in ("encoder_from", "data.agent"):
        agents = registry.names("agents") if key == "data.agent" else []
        return [f"{key}={name}" for name in [*_beginning(agents, start), *complete_runs(ctx, start)]]
    if equals and key in ("demos", "data.root"):
        return [f"{key}={path}" for path in complete_paths(start)]
    for of_all in (False, True):
        known = of_config(raw, key, of_all=of_all)
        if found := _completed({path: option.values for path, option in known.items()}, incomplete):
            return found
    return []


def _evaluation_options(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the options that an evaluation of the first run given may change; of `latest` if none is given."""
    from sandbox.cli._option_tree import of_config
    from sandbox.config.files import load
    from sandbox.storage.run_folder import RunFolder

    words = [word for word in ctx.params.get("run") or [] if "=" not in word]
    try:
        raw, _ = load([RunFolder.find(_root(ctx), next(iter(words), "latest")).config], [], {})
    except UserError:
        return []
    known = {
        path: option.values
        for path, option in of_config(raw, incomplete.partition("=")[0]).items()
        if option.in_evaluation or path in _COMPUTE or path.startswith(("env.", "data."))
    }
    return _completed(known, incomplete)


def _filters(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return filters `key=value` of runs."""
    from sandbox.runs import registry

    members = {section: registry.names(family) for section, family in registry.SECTIONS.items()}
    return _completed({**members, **_STATES, "name": _runs(ctx)}, incomplete)


def _completed(known: Mapping[str, Sequence[str]], incomplete: str) -> list[str]:
    """Return `key=` of the options that fit; of one that is alone, also its values.

    With two answers, a shell goes up to `key=` and adds no space.

    Args:
        known: Values of each option.
        incomplete: Beginning of `key=value`.
    """
    key, equals, _ = incomplete.partition("=")
    found = [path for path in known if (path == key if equals else path.startswith(key))]
    values = [f"{path}={value}" for path in found[:1] for value in known[path]] if len(found) == 1 else []
    return _beginning([*(f"{path}=" for path in found if not equals), *values], incomplete)


def _raw(words: Sequence[str]) -> dict[str, Any]:
    """Merge the config files and overrides among words; those that cannot be read are left out."""
    from sandbox.config.files import load, split
    from sandbox.runs import registry

    files, overrides = split(words)
    known = registry.configs()

    def merged(files: list[str], overrides: list[str]) -> dict[str, Any] | None:
        with suppress(UserError):
            return load(files, overrides, known)[0]
        return None

    files = [file for file in files if merged([file], []) is not None]
    overrides = [override for override in overrides if merged([], [override]) is not None]
    return merged(files, overrides) or merged(files, []) or {}


def _root(ctx: typer.Context) -> Path:
    return Path(ctx.params.get("runs") or ctx.params.get("root") or "runs")


def _runs(ctx: typer.Context) -> list[str]:
    from sandbox.storage.files import names_in, read_object

    with suppress(UserError):
        root = _root(ctx)
        return [name for name in names_in(root) if isinstance(read_object(root / name / "run.json").get("id"), str)]
    return []


def _sweeps(ctx: typer.Context) -> list[str]:
    from sandbox.storage.files import is_file, names_in

    with suppress(UserError):
        root = _root(ctx) / "sweeps"
        return [name for name in names_in(root) if is_file(root / name / "sweep.json")]
    return []


def _steps(ctx: typer.Context, name: str) -> list[int]:
    """Return the steps of the checkpoints of a run."""
    from sandbox.storage.places import places_in, step_of
    from sandbox.storage.run_folder import RunFolder

    with suppress(UserError):
        run = RunFolder.find(_root(ctx), name)
        return sorted({step_of(place) for folder in (run.checkpoints, run.snapshots) for place in places_in(folder)})
    return []


def _beginning(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in dict.fromkeys(words) if word.startswith(incomplete) and _PLAIN.fullmatch(word)]
