"""Trains a run in a process other than the first: it has the same config and folder, and writes nothing."""

import json
import sys
from pathlib import Path

from sandbox.config.yaml_text import Origin
from sandbox.core.errors import UserError
from sandbox.core.messages import hide_notes
from sandbox.core.processes import LostProcessError, Processes, from_first
from sandbox.core.progress import progress
from sandbox.runs.build import BuiltRun, build, build_new, use_threads
from sandbox.runs.config import RunConfig
from sandbox.runs.left_out import replay_parts
from sandbox.runs.resolve import checked
from sandbox.runs.sharing import OtherRecorder
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.run_folder import RunFolder
from sandbox.training.loop import Run, train
from sandbox.training.shared_learner import SharedLearner
from sandbox.training.signals import StopSignal


def tell(processes: Processes, folder: RunFolder, config: RunConfig, *, saved: bool) -> None:
    """Tell the other processes, from the first one, what to train."""
    settings = config.model_dump(mode="json")
    from_first(processes, json.dumps({"folder": str(folder.path.resolve()), "config": settings, "saved": saved}))


def follow(processes: Processes) -> None:
    """Train what the first process tells.

    Raises:
        UserError: If this process cannot, with its number.
        SystemExit: If the first process has ended instead; it has said why.
    """
    progress.stop()
    hide_notes("the first process prints them")
    try:
        heard = json.loads(from_first(processes))
    except LostProcessError:
        sys.exit(1)
    try:
        config = checked(heard["config"], {(): Origin("the first process")})
        folder = RunFolder(Path(heard["folder"]))
        if heard["saved"]:
            built = build(config, folder.path.parent, processes)
            _train(built, built.ready_to_resume(), Checkpoints(folder.checkpoints))
        else:
            built = build_new(config, folder.path.parent, processes)
            _train(built, built.ready_to_begin(), None)
    except UserError as error:
        raise UserError(f"process {processes.rank} of {processes.count}, counted from 0: {error}") from error


def _train(built: BuiltRun, run: Run, checkpoints: Checkpoints | None) -> None:
    """Train a run, from the checkpoint that the first process has read if it has read one."""
    config: RunConfig = built.config
    processes = built.compute.processes
    use_threads(config)
    with StopSignal() as stop:
        if checkpoints is not None:
            parts = run.parts()
            checkpoints.load({**parts, **replay_parts(parts, keep=True)}, int(from_first(processes)))
        run.learner = SharedLearner(run.learner, processes)
        train(run, config, OtherRecorder(run, stop.requested, processes))
