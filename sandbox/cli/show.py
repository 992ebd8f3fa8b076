"""`sandbox show`: one member, one config, or one run in full."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sandbox.cli import _print
from sandbox.cli._complete import complete_shown
from sandbox.cli._describe import sections
from sandbox.cli._options import RUNS, Json, Runs
from sandbox.config.files import load, split, to_yaml
from sandbox.config.members import import_member
from sandbox.config.schema import models, tags
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean, of_a_file, say
from sandbox.report.run_record import RunRecord
from sandbox.runs import registry
from sandbox.storage.files import read_bytes, read_object
from sandbox.storage.reference import NoRunError
from sandbox.storage.run_folder import RunFolder


def show(
    what: Annotated[
        list[str],
        typer.Argument(metavar="NAME|FILE... [KEY=VALUE...]", show_default=False, autocompletion=complete_shown),
    ],
    json: Json = False,
    runs: Runs = RUNS,
    networks: Annotated[
        bool, typer.Option("--networks", help="Show the layers of a config's or a run's networks instead.")
    ] = False,
) -> None:
    """Show a member with its options, a config resolved, or a run.

    \b
    sandbox show catch                         an environment
    sandbox show flicker                       a wrapper, for env.wrappers
    sandbox show dqn                           an agent: paper, options
    sandbox show env.catch                     a member by its section
    sandbox show catch_dqn                     a config with all defaults, as YAML
    sandbox show mine.yaml agent.discount=0.9  what `sandbox train` would run
    sandbox show latest                        a run: config and metrics
    sandbox show catch_dqn --networks          layers, shapes, multiply-adds

    A name is looked up among the members first, then the configs, then the runs. The path of a folder is a run.
    """
    files, overrides = split(what)
    members = {kind: registry.files(family) for kind, family in registry.KINDS.items()} | {
        "backbone": registry.backbones()
    }
    word = files[0] if len(files) == 1 and not overrides else ""
    section, _, member = word.partition(".")
    kinds = [kind for kind, names in members.items() if word in names]
    if (kinds or member in members.get(section, ())) and networks:
        raise UserError(
            f"--networks: {word} is a member, and its networks depend on what it learns from. Name a config or a run, "
            f"such as `sandbox show catch_dqn --networks`."
        )
    if kinds:
        for kind in kinds:
            _show_member(kind, word, json)
    elif member in members.get(section, ()):
        _show_member(section, member, json)
    elif not word or word in registry.configs() or word.endswith((".yaml", ".yml")):
        if networks:
            _show_networks(files, overrides, None, runs, json)
        else:
            _show_config(files, overrides, json)
    else:
        try:
            folder = RunFolder.find(runs, word)
        except NoRunError:
            own = [run.name for run in RunFolder.all_runs(runs)]
            known = [name for names in (*members.values(), registry.configs(), own) for name in names]
            if member:  # by its section
                named = [f"{kind}.{name}" for kind, names in members.items() for name in names]
                known = [name for name in named if name.endswith(f".{member}")] or [*known, *named]
            hint = of_a_file(word) or did_you_mean(word, known)
            raise UserError(f"no member, config or run is called {word!r}.{hint} See `sandbox list`.") from None
        folder.require_whole("showing")
        if networks:
            _show_networks([], [], folder, runs, json)
        else:
            _show_run(folder, json)


def _show_member(kind: str, name: str, json: bool) -> None:
    if kind == "backbone":
        from sandbox.networks.backbone import AnyBackbone

        file = registry.backbones()[name]
        model: Any = next((model for model in models(AnyBackbone) if name in tags(model)), None)
        if model is None:
            import_member(f"sandbox.networks.{name}", file)  # says what is wrong with a file that is left out
            raise UserError(f"{file}: the options' `name` must be {name!r}, as the file is called")
    else:
        model, file = registry.config_class(registry.KINDS[kind], name), registry.files(registry.KINDS[kind])[name]
    text = registry.docstring(file)
    groups = list(sections(model, name if kind == "wrapper" else kind))  # as they stand in YAML
    people = _for_people(model) if kind == "env" else {}
    if json:
        options = [option._asdict() for group in groups for option in group.options]
        about = {"kind": kind, "name": name, "file": str(file), "description": text, "options": options}
        _print.as_json(about | ({"for_people": people} if people else {}))
        return
    say(f"{kind} {name}\n")
    _print.prose(text)
    if people:
        say("\nfor people")
        _print.table(people.items(), indent=2)
    for group in groups:
        role = f"{group.role}: " if group.role else ""
        say()
        _print.prose(f"{role}{group.docstring}")
        if not group.options:
            continue
        _print.table(
            (
                (path, words, "(needed)" if default is None else default, description)
                for path, words, default, description in group.options
            ),
            indent=2,
        )


def _for_people(model: Any) -> dict[str, str]:
    from sandbox.cli._for_people import for_people  # imports Gymnasium

    return for_people(model)


def _show_networks(files: list[str], overrides: list[str], folder: RunFolder | None, runs: Path, json: bool) -> None:
    from sandbox.cli._networks import show_networks  # imports PyTorch
    from sandbox.runs.resolve import resolve

    show_networks(folder or resolve(files, overrides), runs, json)


def _show_config(files: list[str], overrides: list[str], json: bool) -> None:
    from sandbox.runs.resolve import resolve

    config = resolve(files, overrides)
    if json:
        _print.as_json({"kind": "config", "config": config.model_dump(mode="json")})
        return
    own = next(sections(type(config), "", config))
    described = {option.path.removeprefix("."): option for option in own.options}
    for line in to_yaml(config).splitlines():
        key = line.partition(":")[0]
        if key in config.sections:
            _print.comment(f"options of this section: `sandbox show {dict(config)[key].name}`")
        elif key in described:
            _print.comment(f"{described[key].description} ({described[key].type})")
        elif key in type(config).model_fields:
            _print.comment(type(config).model_fields[key].description or key)
        say(line)


def _show_run(folder: RunFolder, json: bool) -> None:
    record, summary = RunRecord.read_latest(folder), read_object(folder.summary)
    latest = folder.latest()
    if json:
        config, _ = load([folder.config], [], {})
        about = {
            "kind": "run",
            "name": folder.name,
            "path": str(folder.path),
            "finished": record.finished,
            "state": record.state,
        }
        _print.as_json({**about, "card": record.info, "config": config, "summary": summary, "metrics": latest})
        return
    say(f"run {folder.name} ({folder.id}) in {folder.path}")
    say(f"{record.learner['name']} on {record.source['name']}: step {record.step} of {record.steps}, {record.state}")
    for title, values in (("card", record.info), ("summary", summary), ("last metrics", latest)):
        if values:
            say(f"\n{title}")
            _print.table(((name, _line(value)) for name, value in values.items()), indent=2)
    say(f"\nconfig\n{read_bytes(folder.config).decode('utf-8').rstrip()}")


def _line(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_line(inner)}" for name, inner in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
