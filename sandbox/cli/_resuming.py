"""The end of a training, for `sandbox train` and `sandbox resume`."""

import typer

from sandbox.core.messages import say
from sandbox.storage.run_folder import RunFolder


def finish(folder: RunFolder, signal: int | None) -> None:
    """Print a run's folder. If a signal stopped it, also print how to go on, and exit with 128 + its number."""
    if signal is not None:
        say(f"stopped and saved; resume it with: sandbox resume {folder.path}", err=True)
    say(folder.path)
    if signal is not None:
        raise typer.Exit(128 + signal)
