"""Plot the return of runs over steps and hours of training.

    python benchmarks/curve.py curve.png runs/NAME [runs/NAME ...]

Dots are evaluations. The line is the return of the episodes during training, averaged over ten rows of the log.
"""

import json
import sys
from pathlib import Path

from sandbox.media.curve import canvas, save


def rows(run: Path, key: str) -> list[tuple[float, float, float]]:
    """Return step, hours of training and value of every row that has `key`; pauses of a stopped run do not count."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["time"] / 3600, line[key]) for line in lines if key in line]


def mean(column: tuple[float, ...]) -> float:
    return sum(column) / len(column)


def save_plot(place: Path, runs: list[Path]) -> None:
    """Plot the runs and save the image."""
    figure, (by_step, by_hour) = canvas(2)
    for run in runs:
        logged = rows(run, "env/return")
        training = []
        for start in range(0, len(logged), 10):
            steps, hours, returns = zip(*logged[start : start + 10], strict=True)
            training.append((mean(steps), mean(hours), mean(returns)))
        evaluations = rows(run, "eval/return")
        for axes, x in ((by_step, 0), (by_hour, 1)):
            label = f"{run.name}, training"
            (line,) = axes.plot([row[x] for row in training], [row[2] for row in training], label=label)
            points = [row[x] for row in evaluations], [row[2] for row in evaluations]
            axes.plot(*points, "o", color=line.get_color(), label="evaluation")
    by_step.set(xlabel="agent steps", ylabel="raw return")
    by_hour.set(xlabel="hours")
    by_step.legend()
    save(place, figure)


if __name__ == "__main__":
    save_plot(Path(sys.argv[1]), [Path(word) for word in sys.argv[2:]])
