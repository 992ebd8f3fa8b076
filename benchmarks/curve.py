"""Draw how the return of runs grew: python benchmarks/curve.py curve.png runs/NAME [runs/NAME ...]

Dots are evaluations, the line the games finished while training, averaged over ten lines of the log.
"""

import json
import sys
from pathlib import Path

from sandbox.media.curve import canvas, save


def rows(run: Path, key: str) -> list[tuple[float, float, float]]:
    """Steps, hours at work and values of `key`; hours that a stopped run did not work do not count."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["time"] / 3600, line[key]) for line in lines if key in line]


def mean(column: tuple[float, ...]) -> float:
    return sum(column) / len(column)


def draw(place: Path, runs: list[Path]) -> None:
    figure, (by_step, by_hour) = canvas(2)
    for run in runs:
        every = rows(run, "env/return")
        parts = [every[start : start + 10] for start in range(0, len(every), 10)]
        played = [tuple(map(mean, zip(*part, strict=True))) for part in parts]
        scored = rows(run, "eval/return")
        for axes, x in ((by_step, 0), (by_hour, 1)):
            (line,) = axes.plot([row[x] for row in played], [row[2] for row in played], label=f"{run.name}, training")
            axes.plot(
                [row[x] for row in scored], [row[2] for row in scored], "o", color=line.get_color(), label="score"
            )
    by_step.set(xlabel="agent steps", ylabel="raw return")
    by_hour.set(xlabel="hours")
    by_step.legend()
    save(place, figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), [Path(word) for word in sys.argv[2:]])
