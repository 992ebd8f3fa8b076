"""One whole training: parts, stream, sinks and checkpoints put together, run, and put away cleanly, with a card."""

from contextlib import suppress

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.logger.console import console
from sandbox.logger.jsonl import Jsonl
from sandbox.logger.sink import Sink, Tee
from sandbox.logger.tensorboard import TensorBoard
from sandbox.logger.weights_and_biases import WeightsAndBiases
from sandbox.report.run_readme import write_readme
from sandbox.runs.build import BuiltRun, use_threads
from sandbox.runs.config import RunConfig
from sandbox.runs.recorder import RunRecorder
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.run_folder import RunFolder
from sandbox.training.loop import Run, train
from sandbox.training.signals import StopSignal


def train_run(assembly: BuiltRun, run: Run, folder: RunFolder, *, quiet: bool) -> int | None:
    """Train in `folder`, from its newest checkpoint if it has one; the signal that stopped it early, or None.

    Raises:
        UserError: for what a user can mend.
    """
    config, truth = assembly.config, Jsonl(folder.metrics)
    use_threads(config)
    with StopSignal() as stop, folder.locked():
        sinks = Tee([truth, console(config.steps, quiet=quiet), *_mirrors(config, folder)])
        journal = RunRecorder(assembly, folder, truth, sinks, Checkpoints(folder.checkpoints), stop.requested)
        try:
            if folder.saved:
                note(f"going on from step {journal.load(run.parts())}")
            finished = train(run, config, journal)
        except BaseException:
            with suppress(UserError):  # the first error is the one to tell
                sinks.close({**folder.latest(), "finished": False, "step": run.stream.step})
            raise
        sinks.close({**folder.latest(), "finished": finished, "step": run.stream.step})
        write_readme(folder)
        return stop.signal


def _mirrors(config: RunConfig, folder: RunFolder) -> list[Sink]:
    mirrors: list[Sink] = []
    if config.logger.tensorboard:
        mirrors.append(TensorBoard(folder.path / "tensorboard"))
    if config.logger.wandb != "off":
        settings = config.model_dump(mode="json")
        mirrors.append(WeightsAndBiases(config.logger.wandb, config.logger.project, folder.name, folder.path, settings))
    return mirrors
