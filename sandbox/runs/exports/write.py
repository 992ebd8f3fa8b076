"""Writes the graph of a run's learner to a file, whole or not at all."""

import json
import re
from pathlib import Path

from sandbox.core.errors import UserError
from sandbox.core.progress import progress
from sandbox.interfaces.learner import RefusesExport
from sandbox.runs.agent_run import BuiltAgentRun
from sandbox.runs.build import BuiltRun, restore
from sandbox.runs.config import RunConfig
from sandbox.runs.exports import formats
from sandbox.runs.exports.graph import Graph
from sandbox.runs.exports.model import model_graph
from sandbox.runs.exports.policy import policy_graph
from sandbox.runs.resolve import config_of
from sandbox.storage.files import read_object, write_whole
from sandbox.storage.run_folder import RunFolder

_FORMATS = {".onnx": formats.onnx_file, ".pt2": formats.torch_file}
# The folders of an absolute path, on Linux, macOS or Windows, in a word of a command or in JSON.
_FOLDERS = re.compile(r"(?<![\w.~/\\:])(?:~|[A-Za-z]:)?[/\\]+(?:[^/\\,}\"]+[/\\]+)*")


def export_graph(folder: RunFolder, place: Path) -> None:
    """Write the learner of a run as a graph: an ONNX model, or a program of `torch.export`.

    Args:
        folder: The run, at its newest or at the named checkpoint.
        place: The file, which does not exist; its ending, `.onnx` or `.pt2`, chooses the format.

    Raises:
        UserError: If the file exists or has another ending, or the learner cannot be exported.
    """
    if place.suffix not in _FORMATS:
        raise UserError(f"{place} must end in {' or '.join(_FORMATS)}.")
    if place.exists() or place.is_symlink():
        raise UserError(f"{place} exists already: choose another file, or remove it first.")
    config = config_of(folder)
    built, step = restore(folder, config.model_copy(update={"device": "cpu"}))
    progress.now("exporting")
    write_whole(place, _FORMATS[place.suffix](graph_of(built), about(folder, config, step)))


def graph_of(built: BuiltRun) -> Graph:
    """Return the graph of a run's learner.

    Raises:
        UserError: If it cannot be exported; with the reason.
    """
    if isinstance(built.learner, RefusesExport) and built.learner.no_export:
        raise UserError(f"{built.config.learner.name} cannot be exported as a graph: {built.learner.no_export}.")
    return policy_graph(built) if isinstance(built, BuiltAgentRun) else model_graph(built)


def about(folder: RunFolder, config: RunConfig, step: int) -> dict[str, str]:
    """Return the metadata of a run's graph: where it comes from. Paths are left out."""
    info = read_object(folder.info)
    source, learner = config.sections
    command, versions = info.get("command"), info.get("versions")
    words = [str(word) for word in command] if isinstance(command, list) else []
    return {
        "run": folder.name,
        "run_id": str(info.get("id", "")),
        "step": str(step),
        "command": " ".join(map(without_folders, words)),
        "made_by": f"rl-sandbox {versions.get('rl-sandbox', '') if isinstance(versions, dict) else ''}".strip(),
        source: without_folders(json.dumps(config.model_dump(mode="json")[source])),
        learner: config.learner.name,
        **{name: str(value) for name, value in config.learner.evaluation_settings().items()},
    }


def without_folders(text: str) -> str:
    """Return a word of a command, or JSON, with the names of files in place of absolute paths."""
    return _FOLDERS.sub("", text)
