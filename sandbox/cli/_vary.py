"""`sandbox evaluate --vary`: evaluates runs along one option and prints a table and a plot, or JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.cli import _print
from sandbox.config.yaml_text import text_of
from sandbox.core.errors import UserError
from sandbox.core.messages import say
from sandbox.logger.console import console
from sandbox.media.curve import Curve, save
from sandbox.media.curve import compare as draw
from sandbox.runs.option_sweep import Variation, VariedRun, is_number
from sandbox.storage.run_folder import RunFolder


def compare(
    folders: Sequence[RunFolder], vary: str, episodes: int, seed: int, plot: Path | None, as_json: bool
) -> None:
    """Evaluate every run with every value; the last line of the output is the path of the plot.

    Raises:
        UserError: For an option or a value that a run refuses, before anything is evaluated.
    """
    variation = Variation.parse(vary)
    place = plot or folders[0].samples / f"vary_{variation.option}.png"
    if place.suffix != ".png":
        raise UserError(f"--plot {place}: images are PNG; name it {place.with_suffix('.png')}")
    varied = [VariedRun.check(folder, variation) for folder in folders]
    progress = console(len(varied) * len(variation.values), quiet=as_json)
    results: list[list[dict[str, Any]]] = [[] for _ in varied]
    try:
        for run, points in zip(varied, results, strict=True):
            for point in run.points(episodes, seed):
                points.append(point)
                played = {name: point[name] for name in ("return_mean", "return_ci95")}
                progress.write(sum(len(each) for each in results), played)
    finally:
        progress.close({})
    save(place, draw([_curve(points) for points in results], variation.option, "return (mean, 95 %)", "in training"))
    if as_json:
        every = [point for points in results for point in points]
        _print.as_json({"vary": variation.option, "points": every, "plot": str(place)})
        return
    for points in results:
        say(_headline(points[0], variation.option))
    _table(results, variation)
    say(place)


def _curve(points: Sequence[dict[str, Any]]) -> Curve:
    values = [point["value"] if is_number(point["value"]) else text_of(point["value"]) for point in points]
    trained = points[0]["trained"] if is_number(points[0]["trained"]) else None
    means = [point["return_mean"] for point in points]
    errors = [point["return_ci95"] for point in points]
    return Curve(points[0]["run"], values, means, errors, trained)


def _headline(point: dict[str, Any], option: str) -> str:
    conditions = {"episodes per value": point["episodes"], "seed": point["seed"], "step": point["step"]}
    if not option.endswith("evaluation_epsilon") and "evaluation_epsilon" in point:
        conditions["evaluation_epsilon"] = point["evaluation_epsilon"]
    trained = "without it" if point["trained"] is None else f"with {text_of(point['trained'])}"
    return f"{point['run']}: trained {trained}; " + ", ".join(f"{name} {value}" for name, value in conditions.items())


def _table(results: Sequence[Sequence[dict[str, Any]]], variation: Variation) -> None:
    """Print a row per value: for each run its mean return, half a 95 % interval, and the mean length."""
    headers = [variation.option]
    for points in results:
        headers += [points[0]["run"], "95 %", "length"]
    rows = []
    for value, *row in zip(variation.values, *results, strict=True):
        cells = [[f"{p['return_mean']:.4g}", f"± {p['return_ci95']:.2g}", f"{p['length_mean']:.4g}"] for p in row]
        rows.append([text_of(value), *(cell for group in cells for cell in group)])
    _print.table(rows, headers)
