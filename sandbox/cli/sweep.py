"""`sandbox sweep`."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sandbox.cli import _print
from sandbox.cli._complete import complete_training
from sandbox.cli._options import RUNS, Json, Runs
from sandbox.core.messages import say
from sandbox.core.progress import progress

if TYPE_CHECKING:
    from sandbox.runs.sweeps.start import Ended


def sweep(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE… key=value,value…",
            help="Configs, or a sweep.yaml; then options, some with several values.",
            autocompletion=complete_training,
        ),
    ],
    runs: Runs = RUNS,
    jobs: Annotated[int, typer.Option(metavar="N", help="Number of runs that are trained at a time.")] = 1,
    devices: Annotated[
        str, typer.Option(metavar="DEVICE,…", help="Devices that the runs take in turn, such as cuda:0,cuda:1.")
    ] = "",
    retry: Annotated[int, typer.Option(metavar="N", help="Number of times that a failed run is started again.")] = 0,
    engine: Annotated[
        Literal["local", "ray", "slurm"],
        typer.Option(metavar="local|ray|slurm", help="Where the runs are trained: here, or on a cluster."),
    ] = "local",
    address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Address of the Ray cluster; `local` makes one of this machine.")
    ] = "local",
    slurm: Annotated[
        str,
        typer.Option(metavar="OPTIONS", help="Options of sbatch, such as --slurm='--partition=gpu --time=4:00:00'."),
    ] = "",
    submit: Annotated[bool, typer.Option("--submit", help="Submit the script of --engine slurm.")] = False,
    at_most: Annotated[
        int | None, typer.Option(metavar="N", help="End after N runs, and do not wait for other processes.")
    ] = None,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the sweep's folder only.")] = False,
) -> None:
    """Train a config with several seeds and options; the last line of the output is the sweep's folder.

    The words are those of `sandbox train`; an option may have several values, `key=value,value` or `seed=0..9`, and
    every combination is a run. FILE may be a sweep.yaml with the words of W&B, also for a random or Bayesian search.
    Ctrl-C saves the runs and stops; the same command goes on. At the end, a table shows the interquartile mean (IQM) of
    each setting over its seeds.

    \b
    sandbox sweep catch_dqn seed=0..4
    sandbox sweep catch_dqn seed=0..9 agent.optimizer.lr=1e-4,3e-4 name=rates
    sandbox sweep mine.yaml seed=0..3 --jobs 2 --devices cuda:0,cuda:1
    sandbox sweep search.yaml --jobs 4
    sandbox report rates
    """
    from sandbox.core.errors import UserError
    from sandbox.runs.sweeps.schedule import Workers
    from sandbox.runs.sweeps.slurm_engine import slurm_options
    from sandbox.runs.sweeps.start import defined, defines_sweep, require_workers, sweep, write_array

    chosen = tuple(part.strip() for part in devices.split(",")) if devices else ()
    workers = Workers(jobs, chosen, retry, engine, address, at_most)
    require_workers(workers)
    options = slurm_options(slurm)
    if engine != "slurm" and (slurm or submit):
        raise UserError(f"{'--slurm' if slurm else '--submit'} is for --engine slurm")
    progress.now("reading the config")
    definition = defined(words)
    progress.now("checking every setting")
    typed = next((word for word in words if defines_sweep(word)), "command line")
    if engine == "slurm":
        script = write_array(definition, runs, ["sandbox", *sys.argv[1:]], workers, options, typed)
        _tell_script(script, submit=submit, json=json)
        return
    ended = sweep(definition, runs, ["sandbox", *sys.argv[1:]], workers, quiet=quiet or json, typed=typed)
    if json:
        _print.as_json({"folder": str(ended.folder.path), **ended.results})
    elif not quiet:
        _show(ended)
    if ended.signal is not None:
        say(f"stopped and saved; go on with the same command: {shlex.join(['sandbox', *sys.argv[1:]])}", err=True)
    if not json:
        say(ended.folder.path)
    if ended.signal is not None:
        raise typer.Exit(128 + ended.signal)
    if ended.failed:
        lines = "\n  ".join(f"{name}: {line}" for name, line in ended.failed.items())
        raise UserError(
            f"{len(ended.failed)} of the runs failed; the same command tries them again. Their output is in "
            f"{ended.folder.path / 'logs'}.\n  {lines}"
        )


def _tell_script(script: Path | None, *, submit: bool, json: bool) -> None:
    """Submit the script of a sweep, or print the command that does."""
    from sandbox.runs.sweeps.slurm_engine import submit as submit_script

    said = submit_script(script) if script and submit else ""
    if json:
        _print.as_json({"script": str(script) if script else None, "sbatch": said or None})
    elif script is None:
        say("all runs are finished")
    else:
        say(said or f"sbatch {shlex.quote(str(script))}")


def _show(ended: "Ended") -> None:
    """Print the table of a sweep."""
    from sandbox.runs.sweeps.outcome import table_of

    headers, rows = table_of(ended.results)
    _print.table(rows, headers)
