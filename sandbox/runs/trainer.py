"""Trains a run in its folder, from the beginning or from its newest checkpoint."""

from contextlib import suppress

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.core.processes import ALONE, from_first
from sandbox.core.progress import progress
from sandbox.logger.base import Sink, Tee
from sandbox.logger.console import console
from sandbox.logger.tensorboard import TensorBoard
from sandbox.logger.weights_and_biases import WeightsAndBiases
from sandbox.report.run_readme import write_readme
from sandbox.runs.best_values import BestValues
from sandbox.runs.build import BuiltRun, use_threads
from sandbox.runs.config import RunConfig
from sandbox.runs.data_facts import DataFacts
from sandbox.runs.generator_run import BuiltGeneratorRun
from sandbox.runs.inside import Inside
from sandbox.runs.recorder import RunRecorder
from sandbox.runs.sharing import FirstRecorder
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.jsonl import Jsonl
from sandbox.storage.run_folder import RunFolder
from sandbox.training.loop import Run, train
from sandbox.training.shared_learner import SharedLearner
from sandbox.training.signals import StopSignal
from sandbox.training.update_watch import UpdateWatch, WatchedLearner


def train_run(
    built: BuiltRun, run: Run, folder: RunFolder, *, quiet: bool, new_config: str | None = None
) -> int | None:
    """Train in `folder`, from its newest checkpoint if it has one, then write the folder's README.

    Args:
        built: The run.
        run: Its learner and stream.
        folder: Its folder, which the caller has locked.
        quiet: Whether the console stays silent.
        new_config: Text that replaces config.yaml when the checkpoint fits; None keeps the file.

    Returns:
        The signal that stopped the run early, or None.

    Raises:
        UserError: For a checkpoint that cannot be read or written, a config that was edited, or a loss that is not
            finite.
    """
    config: RunConfig = built.config
    processes = built.compute.processes
    metrics_log = Jsonl(folder.metrics)
    use_threads(config)
    progress.now("starting the log")
    with StopSignal() as stop:
        display = console(config.steps, quiet=quiet, position=lambda: run.stream.step)
        sinks = Tee([metrics_log, display, *_mirrors(built, folder)])
        checkpoints = Checkpoints(folder.checkpoints)
        if isinstance(built, BuiltGeneratorRun) and DataFacts.read(folder) is None:
            built.facts.write(folder)
        watch = UpdateWatch()
        recorder = RunRecorder(built, folder, metrics_log, sinks, checkpoints, stop.requested, watch)
        try:
            if folder.saved:
                with progress.phase("loading the checkpoint"):
                    reached = recorder.load(run.parts())
                from_first(processes, str(reached))
                if not quiet:
                    note(f"resuming from step {reached}")
                if run.rng.moved:
                    note(f"random numbers do not go on from {run.rng.moved}: new streams begin there")
            if new_config is not None:
                folder.write_config(new_config)
            with progress.phase("training", position=lambda: run.stream.step, total=config.steps):
                learner = run.learner if processes is ALONE else SharedLearner(run.learner, processes)
                run.learner = WatchedLearner(learner, watch, run.stream, config)
                finished = train(
                    run, config, recorder if processes is ALONE else FirstRecorder(recorder, run, processes)
                )
            progress.now("closing the log")
        except BaseException as error:
            with suppress(UserError):  # the first error is the one to report
                sinks.close({**folder.latest(), "finished": False, "step": run.stream.step})
            if isinstance(error, KeyboardInterrupt):
                saved = (
                    f"the newest checkpoint is that of step {folder.saved_step}" if folder.saved else "nothing is saved"
                )
                note(f"stopped at step {run.stream.step} without saving: {saved}")
            raise
        sinks.close({**folder.latest(), "finished": finished, "step": run.stream.step})
        write_readme(folder)
        return stop.signal


def _mirrors(built: BuiltRun, folder: RunFolder) -> list[Sink]:
    """Return the sinks besides metrics.jsonl and the console."""
    config = built.config
    mirrors: list[Sink] = []
    if config.logger.tensorboard:
        mirrors.append(TensorBoard(folder.path / "tensorboard", Inside(built)))
    logger = config.logger
    if logger.wandb != "off":
        settings, about = config.model_dump(mode="json"), logger.about
        best = BestValues(folder.metrics).improved
        mirrors.append(WeightsAndBiases(logger.wandb, logger.project, folder.name, folder.path, settings, about, best))
    return mirrors
