"""The largest differences between runs and their ONNX models: `python benchmarks/exports.py RUN ...`.

Each model is written in memory and compared as `sandbox export --onnx` does; values and states have a line each.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sandbox.runs.build import restore
from sandbox.runs.exports.formats import onnx_file
from sandbox.runs.exports.graph import Comparison, Graph, Runner
from sandbox.runs.exports.write import graph_of
from sandbox.runs.resolve import config_of
from sandbox.storage.run_folder import RunFolder


def measured(graph: Graph, worst: dict[str, tuple[float, float]]) -> Graph:
    """The same graph; its comparison notes the largest difference and the largest value of each output."""

    def compare(run: Runner) -> Iterator[Comparison]:
        for each in graph.compare(run):
            name, *_ = each.name.partition(" ")
            ours = each.ours.double()
            found = float((ours - each.theirs.double()).abs().max()), float(ours.abs().max())
            worst[name] = tuple(map(max, found, worst.get(name, found)))
            yield each

    return replace(graph, compare=compare)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run", nargs="+")
    for name in options.parse_args().run:
        folder = RunFolder.find(Path("runs"), name)
        built, step = restore(folder, config_of(folder).model_copy(update={"device": "cpu"}))
        worst: dict[str, tuple[float, float]] = {}
        start = time.process_time()
        content = onnx_file(measured(graph_of(built), worst), {})
        print(f"{folder.name} step {step}: {len(content):,} bytes, {time.process_time() - start:.1f} s")
        for output, (difference, largest) in worst.items():
            print(f"  {output:24} difference {difference:.1e}, values up to {largest:.2f}")
