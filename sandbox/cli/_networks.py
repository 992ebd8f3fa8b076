"""Prints tables of a learner's networks, for `sandbox show --networks`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.cli import _print
from sandbox.core.messages import note, say
from sandbox.networks.summary import Row, size_words
from sandbox.runs.build import build
from sandbox.runs.config import RunConfig
from sandbox.runs.network_tables import NetworkTables, network_tables, untrained
from sandbox.storage.run_folder import RunFolder

_HEADERS = ("layer", "type", "output", "parameters", "field", "multiply-adds")


def show_networks(config: RunConfig | RunFolder, runs: Path, json: bool) -> None:
    """Build the learner of a config or a run, and print the layers of its networks.

    Args:
        config: The config, or the run.
        runs: Folder of the runs that a member may ask for.
        json: Whether to print JSON.
    """
    built = untrained(config) if isinstance(config, RunFolder) else build(config, runs)
    found, name = network_tables(built), built.config.learner.name
    if json:
        _print.as_json({"kind": "networks", "learner": name, **_as_tree(found)})
        return
    if not found.used:
        say(f"{name} has no networks.")
    for network, rows in found.used.items():
        say(f"{network}: {_sums(rows)}")
        _print.table(map(_cells, rows), _HEADERS, indent=2)
        say()
    for network, parameters in found.unused.items():
        say(f"{network}: {parameters:,} parameters; not used at the start")
    if len(found.used) > 1:
        say(f"together: {found.parameters:,} parameters, {found.multiply_adds:,} multiply-adds")
    if found.used:
        note("field: height and width of what one output sees of the input; output and multiply-adds: for one input")


def _sums(rows: Sequence[Row]) -> str:
    parameters, products = sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows)
    return f"{parameters:,} parameters, {products:,} multiply-adds"


def _cells(row: Row) -> list[str]:
    shape = "-" if row.shape is None else "x".join(map(str, row.shape)) or "1"
    return [row.name, row.kind, shape, f"{row.parameters:,}", size_words(row.field), f"{row.multiply_adds:,}"]


def _as_tree(found: NetworkTables) -> Mapping[str, Any]:
    networks = {
        name: [{**row._asdict(), "field": size_words(row.field)} for row in rows] for name, rows in found.used.items()
    }
    sums = {"parameters": found.parameters, "multiply_adds": found.multiply_adds}
    return {"networks": networks, "unused": dict(found.unused), **sums}
