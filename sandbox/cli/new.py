"""`sandbox new`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._complete import complete_templates
from sandbox.core.messages import say

_TRY = {
    "agent": [
        "train catch_random agent.name={name} env.observe=features steps=50000 name=mine --members {file}",
        "watch latest",
    ],
    "env": [
        "play {name} --members {file}",
        "train catch_dqn env='{{name: {name}, observe: features}}' agent.backbone='{{name: mlp}}' --members {file}",
    ],
    "generator": ["train data.name=digits generator.name={name} steps=3000 --members {file}", "sample latest"],
}


def new(
    kind: Annotated[
        str,
        typer.Argument(metavar="agent|env|generator", help="Kind of the member.", autocompletion=complete_templates),
    ],
    name: Annotated[str, typer.Argument(help="Its name, in lowercase with underscores.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="File to write, by default NAME.py.")] = None,
) -> None:
    """Write a short, working member to start from, and print commands to try it.

    \b
    sandbox new agent my_agent
    sandbox check my_agent.py
    sandbox new env my_maze --out envs/my_maze.py
    """
    import re

    from sandbox.core.errors import UserError
    from sandbox.core.messages import did_you_mean
    from sandbox.runs import registry
    from sandbox.storage.files import write_whole

    if kind not in _TRY:
        raise UserError(f"no template is called {kind!r}.{did_you_mean(kind, _TRY)} There are {', '.join(_TRY)}.")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UserError(f"{name!r} cannot be the name of a member: use lowercase letters, digits and underscores")
    if name in (known := registry.files(registry.SECTIONS[kind])):
        raise UserError(f"there is a member called {name} already: {known[name]}. Take another name.")
    place = out or Path(f"{name}.py")
    if place.stem != name or place.suffix != ".py":
        raise UserError(f"the file of {name} must be called {name}.py, got {place}")
    if place.exists():
        raise UserError(f"{place} exists already. Take another name, or another place with --out.")
    text = (Path(__file__).parent / "templates" / f"{kind}.py").read_text("utf-8")
    class_name = "".join(part.capitalize() for part in name.split("_"))
    write_whole(place, text.replace(f"my_{kind}", name).replace(f"My{kind.capitalize()}", class_name))
    say(place)
    for line in ("check {file}", *_TRY[kind]):
        say(f"  sandbox {line.format(name=name, file=place)}", err=True)
