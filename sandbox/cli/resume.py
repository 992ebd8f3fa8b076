"""`sandbox resume`."""

import shlex
from typing import Annotated

import typer

from sandbox.cli._complete import complete_resumed
from sandbox.cli._options import RUNS, Quiet, Runs
from sandbox.cli._torchrun import follows
from sandbox.core.errors import UserError

_LARGEST = 10**12


def resume(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN [steps=N] [data.root=DIR]",
            help="A run: its folder, name, the start of its id, or `latest`; its new end; the place of its data.",
            autocompletion=complete_resumed,
            show_default=False,
        ),
    ] = None,
    runs: Runs = RUNS,
    steps: Annotated[
        int | None, typer.Option(min=1, max=_LARGEST, help="Train until this step instead of the config's.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Resume a run from its newest good checkpoint; on the CPU, the numbers are those of an uninterrupted run.

    \b
    sandbox resume latest
    sandbox resume catch_dqn_s0 --steps 50000
    sandbox resume catch_dqn_s0 steps=50000      the same
    sandbox resume vae_s0 data.root=../pets      its data have moved
    """
    if follows():
        return

    from sandbox.config.files import is_option
    from sandbox.storage.run_folder import RunFolder

    options = [word for word in words or [] if is_option(word, runs)]
    names = [word for word in words or [] if word not in options] or ["latest"]
    if len(names) > 1:
        raise UserError(f"one run is resumed at a time: {' or '.join(names)}")
    overrides = []
    for option in options:
        match option.partition("="):
            case "steps", _, text:
                steps = _number(text, option)
            case "data.root", _, _:
                overrides.append(option)
            case _:
                config = RunFolder.find(runs, names[0]).config
                raise UserError(
                    f"{option}: a run is resumed with the options that it was started with; only its end and the "
                    "place of its data can change, by steps=N and data.root=DIR. For other options start a new run: "
                    f"`sandbox train {shlex.quote(str(config))} {shlex.quote(option)} name=another`"
                )

    from sandbox.cli._resuming import finish
    from sandbox.core.processes import joined
    from sandbox.runs import start

    folder = RunFolder.find(runs, names[0])
    overrides += [] if steps is None else [f"steps={steps}"]
    finish(folder, start.resume(folder, overrides, quiet=quiet, processes=joined()))


def _number(text: str, option: str) -> int:
    """Return the number of steps in an option `steps=N`.

    Raises:
        UserError: If it is none.
    """
    from sandbox.config.yaml_text import parse

    value, _ = parse(text, f"command line: {option}")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _LARGEST:
        raise UserError(f"command line: {option}: needs a whole number above 0, at most {_LARGEST:_}.")
    return value
