"""`sandbox list`: all members and configs by name; the files are read, not imported."""

from sandbox.cli import _print
from sandbox.cli._options import Json
from sandbox.core.messages import say
from sandbox.runs import registry


def list_everything(json: Json = False) -> None:
    """List environments, wrappers, agents, generators, backbones, data sets and configs.

    \b
    sandbox list
    sandbox list --json
    sandbox show dqn           one of them, with its options
    sandbox train catch_dqn    run a config
    """
    groups = {
        "envs": registry.files("envs"),
        "wrappers": registry.files("wrappers"),
        "agents": registry.files("agents"),
        "generators": registry.files("generators"),
        "backbones": registry.backbones(),
        "datasets": registry.files("data"),
        "configs": registry.configs(),
    }
    lines = {
        group: [(name, registry.headline(files[name])) for name in sorted(files)] for group, files in groups.items()
    }
    if json:
        _print.as_json({group: [{"name": n, "description": d} for n, d in rows] for group, rows in lines.items()})
        return
    for group, rows in lines.items():
        say(group)
        _print.table(rows, indent=2)
