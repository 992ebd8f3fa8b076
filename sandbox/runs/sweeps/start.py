"""Begins a sweep, or goes on with one, and returns its results."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.config.files import read, split
from sandbox.config.yaml_text import Origin
from sandbox.core.errors import UserError
from sandbox.core.progress import progress
from sandbox.report.groups import differences
from sandbox.runs.config import RunConfig
from sandbox.runs.remembered_members import words_of_members
from sandbox.runs.resolve import config_of
from sandbox.runs.start import with_name
from sandbox.runs.sweeps.child import Child, is_finished
from sandbox.runs.sweeps.definition import Definition, validated
from sandbox.runs.sweeps.first_setting import first_config, names_in_wandb, shared_threads
from sandbox.runs.sweeps.grid_plan import GridPlan
from sandbox.runs.sweeps.outcome import as_markdown, outcome, table_of
from sandbox.runs.sweeps.ray_engine import connected
from sandbox.runs.sweeps.schedule import Plan, Schedule, Start, Workers
from sandbox.runs.sweeps.screen import Screen
from sandbox.runs.sweeps.search_plan import SearchPlan
from sandbox.runs.sweeps.settings import PlannedRun
from sandbox.runs.sweeps.slurm_engine import write_script
from sandbox.runs.sweeps.sweep_folder import SWEEPS, SweepFolder, read_definition
from sandbox.runs.sweeps.words import split_options
from sandbox.storage.files import is_file
from sandbox.storage.run_folder import RunFolder
from sandbox.training.signals import StopSignal

_SWEEP_WORDS = ("parameters", "method")  # a file with one of them defines a sweep
_DEVICE = re.compile(r"cpu|cuda:\d{1,3}")


@dataclass(frozen=True)
class Ended:
    """The end of a sweep's command.

    Attributes:
        folder: The sweep's folder.
        results: What results.json holds.
        failed: The last line of the error of each run that failed.
        signal: The signal that stopped the sweep, or None.
    """

    folder: SweepFolder
    results: dict[str, Any]
    failed: dict[str, str]
    signal: int | None


def defines_sweep(file: str) -> bool:
    """Return whether a word is a file like W&B's sweep.yaml.

    Raises:
        UserError: For a YAML file that cannot be read.
    """
    path = Path(file)
    if path.suffix not in (".yaml", ".yml") or not is_file(path):
        return False
    raw, _ = read(path)
    return any(word in raw for word in _SWEEP_WORDS)


def defined(words: Sequence[str]) -> Definition:
    """Return the definition of the sweep in words of a command line: configs or a file like sweep.yaml, and options.

    Raises:
        UserError: With every mistake that can be seen without resolving a config.
    """
    files, options = split(words)
    fixed, varied = split_options(options)
    names = [word for word in fixed if word.startswith("name=")]
    shared = [word for word in fixed if word not in names]
    own = [file for file in files if defines_sweep(file)]
    if own:
        if len(files) > 1:
            others = ", ".join(file for file in files if file != own[0])
            raise UserError(f"{own[0]} defines a sweep: name the config in it: config: [{others}]")
        given = read_definition(Path(own[0])).model_dump(mode="json", exclude_unset=True)
        default = Path(own[0]).stem if Path(own[0]).name != "sweep.yaml" else Path(own[0]).absolute().parent.name
    else:
        given, default = {"config": files, "parameters": {}}, _stem(files)
        if not varied:
            raise UserError(
                "a sweep needs an option with several values, such as seed=0..9 or agent.optimizer.lr=1e-4,3e-4"
            )
    given["options"] = [*given.get("options", ()), *shared]
    given["parameters"] |= {key: {"values": values} for key, values in varied.items()}
    if names or not given.get("name"):
        given["name"] = names[-1].partition("=")[2] if names else default
    return validated(given, {(): Origin("command line")})


def of_python(
    configs: Sequence[str], parameters: dict[str, Any], options: Sequence[str], name: str | None
) -> Definition:
    """Return the definition of a grid.

    Args:
        configs: Configs of all runs.
        parameters: Values of each option that differs.
        options: Further options of all runs, as words.
        name: Name of the sweep; None makes one from the last config.

    Raises:
        UserError: For wrong values.
    """
    listed = {key: {"values": list(values)} for key, values in parameters.items()}
    given = {"config": list(configs), "parameters": listed, "options": list(options), "name": name or _stem(configs)}
    return validated(given, {(): Origin("options")})


def sweep(
    definition: Definition,
    runs: Path,
    command: Sequence[str],
    workers: Workers,
    *,
    quiet: bool,
    typed: str = "command line",
) -> Ended:
    """Train all runs of a sweep that are not finished yet.

    Args:
        definition: The sweep, with a name.
        runs: Folder of the run folders.
        command: What was typed.
        workers: How runs are trained.
        quiet: Whether nothing is displayed.
        typed: Where the options were given, for messages.

    Raises:
        UserError: For a mistake in any setting, before anything is trained; or a metric that no run logs.
    """
    require_workers(workers)
    with _starter(workers) as start:
        folder, plan = _opened(definition, runs, command, workers, typed)
        with StopSignal() as stop, Screen(quiet=quiet) as screen:
            schedule = Schedule(plan, folder, runs, definition.config, workers, screen, start)
            schedule.train(stop.requested)
        progress.now("reading the results")
    plan.update()
    folder.record(plan.settings())
    with folder.locked():  # of two processes that end together, the second one writes what both have done
        plan.update()
        results = _results(definition, runs, plan)
        results["failed"] = schedule.failed
        folder.write_results(results, as_markdown(*table_of(results)))
    return Ended(folder, results, schedule.failed, stop.signal)


def write_array(
    definition: Definition, runs: Path, command: Sequence[str], workers: Workers, options: Sequence[str], typed: str
) -> Path | None:
    """Write the array script of a sweep for SLURM; return None if all its runs are finished.

    Args:
        definition: The sweep, with a name.
        runs: Folder of the run folders.
        command: What was typed.
        workers: How runs are trained.
        options: Options of `sbatch`.
        typed: Where the options were given, for messages.

    Raises:
        UserError: For a mistake in any setting.
    """
    require_workers(workers)
    folder, plan = _opened(definition, runs, command, workers, typed)
    known = [(run, plan.config(run)) for each in plan.settings() if not plan.is_closed(each) for run in each.runs]
    tasks = sum(not is_finished(RunFolder(runs / run.name), config.steps) for run, config in known)
    if definition.method != "grid":
        tasks += ((definition.run_cap or 0) - len(plan.settings())) * max(1, len(definition.seeds))
    if tasks == 0:
        return None
    first = known[0][1] if known else first_config(definition, typed)
    threads = folder.facts().get("threads") or first.threads or 1
    words = words_of_members(first) + ["--retry", str(workers.retry)] * (workers.retry > 0)
    words += ["--devices", ",".join(workers.devices)] * bool(workers.devices)
    return write_script(folder, runs, tasks, workers.jobs, threads, options, words)


def require_workers(workers: Workers) -> None:
    """Raise `UserError` for a wrong number of jobs or retries, or a device that is none."""
    if workers.jobs < 1:
        raise UserError(f"--jobs {workers.jobs}: at least one run is trained at a time: give 1 or more")
    if workers.at_most is not None and workers.at_most < 1:
        raise UserError(f"--at-most {workers.at_most}: a sweep that trains nothing; give 1 or more")
    if workers.retry < 0:
        raise UserError(f"--retry {workers.retry}: give 0 or more")
    if wrong := [device for device in workers.devices if not _DEVICE.fullmatch(device)]:
        raise UserError(f"--devices: {wrong[0]!r} is no device; write cpu or cuda:N, such as --devices cuda:0,cuda:1")


@contextmanager
def _starter(workers: Workers) -> Iterator[Start]:
    """Yield the function that starts the process of a run."""
    if workers.engine == "local":
        yield Child
        return
    with connected(workers.address) as cluster:
        yield cluster.start


def _opened(
    definition: Definition, runs: Path, command: Sequence[str], workers: Workers, typed: str
) -> tuple[SweepFolder, Plan]:
    """Return the folder of a sweep and its plan, once every setting has been checked."""
    folder = SweepFolder(runs / SWEEPS / str(definition.name))
    threads = folder.facts().get("threads") if folder.info.is_file() else shared_threads(definition, workers, typed)
    whole = definition
    if isinstance(threads, int):  # the same for every run of the sweep, since sums depend on it in their last bits
        whole = definition.model_copy(update={"options": (*definition.options, f"threads={threads}")})
    whole = whole.model_copy(update={"options": (*whole.options, *names_in_wandb(whole, typed))})
    search: SearchPlan | None = None
    plan: Plan
    if definition.method == "grid":
        plan = GridPlan(whole, runs, typed)
    else:
        search = plan = SearchPlan(whole, runs, folder, typed)
    SweepFolder.begin(runs, definition, command, threads)
    if folder.facts().get("threads") != threads:  # another process began the sweep at the same moment
        return _opened(definition, runs, command, workers, typed)
    if search is not None:
        search.open()
    folder.record(plan.settings())
    _require_same(plan, runs)
    return folder, plan


def _require_same(plan: Plan, runs: Path) -> None:
    """Raise `UserError` if a run's folder was made with other options than the sweep's."""
    for setting in plan.settings():
        for run in setting.runs:
            folder = RunFolder(runs / run.name)
            if folder.path.exists():
                _require_same_run(folder, plan.config(run), run)


def _require_same_run(folder: RunFolder, config: RunConfig, run: PlannedRun) -> None:
    if problems := folder.problems():
        raise UserError(f"{folder.path} is in the way of a run of this sweep: {' and '.join(problems)}")
    wanted, found = with_name(config, ()), config_of(folder)
    own: Any = {"encoder_from": True, "demos_sha256": True, "logger": {"group", "job_type"}}
    changed = differences([each.model_dump(mode="json", exclude=own) for each in (found, wanted)])
    if changed:
        told = ", ".join(f"{option} was {old} and is {new}" for option, (old, new) in changed.items())
        raise UserError(f"{folder.path} was trained with other options ({told}): choose another name with name=...")


def _results(definition: Definition, runs: Path, plan: Plan) -> dict[str, Any]:
    finished = {
        setting.number: [
            run.name for run in setting.runs if is_finished(RunFolder(runs / run.name), plan.config(run).steps)
        ]
        for setting in plan.settings()
    }
    stopped = [
        setting.number
        for setting in plan.settings()
        if plan.is_closed(setting) and len(finished[setting.number]) < len(setting.runs)
    ]
    return {"sweep": definition.name, **outcome(runs, plan.settings(), finished, definition.metric, stopped)}


def _stem(files: Sequence[str]) -> str:
    stem = re.sub("[^A-Za-z0-9._-]+", "_", Path(files[-1]).stem).strip("._-") if files else ""
    return f"{stem[:50] or 'runs'}_sweep"
