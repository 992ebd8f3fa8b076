"""`sandbox evaluate RUN RUN…`: evaluates runs alike and prints a table, the differences and a plot, or JSON."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sandbox.cli import _print
from sandbox.core.errors import UserError
from sandbox.core.messages import note, say
from sandbox.media.curve import save
from sandbox.media.run_plot import Bar, compare_runs
from sandbox.report.figures import figure
from sandbox.report.tables import format_number
from sandbox.runs.comparison import Difference, Evaluated, compare, evaluate_all, reasons, shared_figures
from sandbox.runs.evaluation_settings import EvaluationSettings
from sandbox.storage.run_folder import RunFolder

WriteResult = Callable[[RunFolder, dict[str, Any]], None]


def compare_evaluations(
    folders: Sequence[RunFolder],
    overrides: Sequence[str],
    settings: EvaluationSettings,
    plot: Path | None,
    as_json: bool,
    write_result: WriteResult,
) -> None:
    """Evaluate runs with the same seed, and compare each with the first; the last line printed is the plot's path.

    Args:
        folders: At least two runs.
        overrides: Overrides of all their configs.
        settings: Settings of the evaluations.
        plot: PNG to write; by default in the samples/ of the first run.
        as_json: Whether to print JSON instead.
        write_result: Writes the result of a run to its folder.

    Raises:
        UserError: If the runs cannot be compared, before any is evaluated; or if `plot` is no PNG.
    """
    place = plot or folders[0].samples / f"compare_{'_'.join(folder.name for folder in folders)[:120]}.png"
    if place.suffix != ".png":
        raise UserError(f"--plot {place}: images are PNG; name it {place.with_suffix('.png')}")
    runs = []
    for folder, run in zip(folders, evaluate_all(folders, overrides, settings), strict=True):
        write_result(folder, run.result)
        runs.append(run)
    found = compare(runs)
    is_agents = runs[0].returns is not None
    shared = shared_figures(runs)
    if is_agents:
        shared = [name for name in shared if name == "return_mean"]
    if shared:
        save(place, compare_runs([(figure(name).heading, [_bar(name, run) for run in runs]) for name in shared]))
    if as_json:
        kept = {"plot": str(place)} if shared else {}
        _print.as_json({"runs": [run.result for run in runs], "differences": list(map(_fields, found)), **kept})
        return
    if is_agents:
        _agents(runs)
    else:
        _generators(runs, shared)
    say()
    for difference in found:
        say(difference.words)
    if not is_agents and shared:
        say("Only figures with ± are compared in words.")
    for line in reasons(runs):
        note(line)
    if shared:
        say(place)


def _agents(runs: Sequence[Evaluated]) -> None:
    rows = []
    for run in runs:
        result = run.result
        success = f"{result['success_rate']:.0%}" if "success_rate" in result else "-"
        mean = _value("return_mean", run) if "return_mean" in result else "-"
        length = format_number(result["length_mean"])
        rows.append([run.name, f"{result['step']:,}", str(result["episodes"]), mean, length, success])
        if cut := result["episodes_cut"]:
            note(f"{cut} of {result['episodes']} episodes of {run.name} did not end and were cut")
    headers = ["run", "step", "episodes", "return", "length", "success"]
    kept = [index for index, _ in enumerate(headers) if index < 5 or any(row[index] != "-" for row in rows)]
    _print.table([[row[index] for index in kept] for row in rows], [headers[index] for index in kept])


def _generators(runs: Sequence[Evaluated], shared: Sequence[str]) -> None:
    rows = [["step", *(f"{run.result['step']:,}" for run in runs)]]
    rows.append(["test images", *(str(run.result["images"]) for run in runs)])
    rows += [[figure(name).heading, *(_value(name, run) for run in runs)] for name in shared]
    _print.table(rows, ["", *(run.name for run in runs)])


def _value(name: str, run: Evaluated) -> str:
    half = _half(name, run)
    return format_number(run.result[name]) + ("" if half is None else f" ± {half:.2g}")


def _bar(name: str, run: Evaluated) -> Bar:
    values = [] if run.returns is None else run.returns.tolist()
    return Bar(run.name, run.result[name], _half(name, run), values)


def _half(name: str, run: Evaluated) -> float | None:
    """Return half the width of a figure's interval; None if it has none."""
    return run.result.get(f"{name.removesuffix('_mean')}_ci95")


def _fields(difference: Difference) -> dict[str, Any]:
    return {
        "figure": difference.name,
        "first": difference.first,
        "second": difference.second,
        "difference": difference.value,
        "ci95": difference.ci95,
        "paired": difference.paired,
        "better": difference.better,
        "words": difference.words,
    }
