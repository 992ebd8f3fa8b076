"""Results of `sandbox evaluate` in the W&B run that the training logged to."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.core.messages import note
from sandbox.core.progress import progress
from sandbox.logger.weights_and_biases import Mode, WeightsAndBiases
from sandbox.runs.resolve import config_of
from sandbox.storage.jsonl import json_safe
from sandbox.storage.run_folder import RunFolder

_ID = re.compile("[0-9a-f]{8}")


def log_evaluation(folder: RunFolder, result: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """Add the result to the summary of the run's W&B run as `evaluation/NAME`; a failure is a note, never an error.

    A run with `logger.wandb=off`, or one that has not been logged to W&B from this folder, sends nothing. Without a
    connection, the result is kept in the run folder for `sandbox sync`.

    Args:
        folder: The run.
        result: The result.
        overrides: Overrides under which the run was evaluated.
    """
    try:
        config = config_of(folder)
        logger = config.logger
        if logger.wandb == "off" or not _is_logged(folder):
            return
        if folder.state(0, 1) == "running":  # a W&B run has one writer
            note(f"{folder.name} is training, so W&B does not get this evaluation; evaluate it again when it is done")
            return
        entries = {**result, "overrides": list(overrides)}
        with progress.phase("logging the evaluation"):
            mode: Mode = "offline" if logger.wandb == "offline" else "auto"  # without a server, it is kept offline
            settings, name = config.model_dump(mode="json"), folder.name
            sink = WeightsAndBiases(mode, logger.project, name, folder.path, settings, logger.about)
            sink.close(json_safe({f"evaluation/{key}": value for key, value in entries.items()}))
    except Exception as error:  # W&B raises plain exceptions
        note(f"W&B does not get this evaluation: {error}")


def _is_logged(folder: RunFolder) -> bool:
    """Return whether the folder has the id of a W&B run."""
    file = folder.wandb / "id"
    return file.is_file() and not file.is_symlink() and _ID.fullmatch(file.read_bytes()[:9].decode("ascii")) is not None
