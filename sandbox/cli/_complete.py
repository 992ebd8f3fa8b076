"""Completions for the shell: configs, members, runs and options. Files of members are not imported."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

GROUPS = ("envs", "wrappers", "agents", "generators", "backbones", "data", "configs")
# Options of every run; a config may leave them out.
_RUN_OPTIONS = (
    "steps", "log_period", "evaluate_period", "media_period", "checkpoint_period", "name", "seed", "device",
    "precision", "threads", "snapshots", "encoder_from", "logger.wandb", "logger.project", "logger.tensorboard",
)  # fmt: skip


def complete_groups(incomplete: str) -> list[str]:
    """Return groups of `sandbox list`."""
    return _beginning(GROUPS, incomplete)


def complete_runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return names of runs in the folder of `--runs`."""
    return _beginning(["latest", *_runs(ctx)], incomplete)


def complete_training(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return names of configs, and options `key=` once a config has been given."""
    from sandbox.runs import registry

    configs = registry.configs()
    given = [configs[word] for word in ctx.params.get("words") or [] if word in configs]
    if not given:
        return _beginning(configs, incomplete)
    return _beginning([f"{option}=" for option in _options(given)], incomplete) or _beginning(configs, incomplete)


def complete_environments(incomplete: str) -> list[str]:
    """Return names of environments."""
    from sandbox.runs import registry

    return _beginning(registry.names("envs"), incomplete)


def complete_shown(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names that `sandbox show` takes: members, configs and runs."""
    from sandbox.runs import registry

    members = [name for family in registry.FAMILIES for name in registry.names(family)]
    return _beginning(dict.fromkeys([*members, *registry.backbones(), *registry.configs(), *_runs(ctx)]), incomplete)


def complete_benchmarks(incomplete: str) -> list[str]:
    """Return names of benchmarks."""
    from sandbox.config.members import member_files

    return _beginning(member_files("sandbox.bench"), incomplete)


def _options(files: Iterable[Path]) -> list[str]:
    """Return the key paths in configs and the options of every run."""
    from sandbox.config.files import load

    raw, _ = load(list(files), [], {})
    return list(dict.fromkeys([*_RUN_OPTIONS, *_paths(raw)]))


def _paths(section: dict[str, Any]) -> Iterator[str]:
    """Yield the key paths of the values in a section, at any depth."""
    for key, value in section.items():
        if isinstance(value, dict) and value:
            yield from (f"{key}.{path}" for path in _paths(value))
        else:
            yield key


def _runs(ctx: typer.Context) -> list[str]:
    folder = Path(ctx.params.get("runs") or ctx.params.get("root") or "runs")
    try:
        return sorted(path.name for path in folder.iterdir() if (path / "run.json").is_file())
    except OSError:
        return []


def _beginning(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
