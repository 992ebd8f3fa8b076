"""One whole training: parts, stream, sinks and checkpoints put together, run, and put away cleanly."""

import sys
from typing import Any

from sandbox.assemble import build, learner_config
from sandbox.checkpoint import Checkpoints
from sandbox.journal import Journal
from sandbox.logger.console import console
from sandbox.logger.jsonl import Jsonl
from sandbox.logger.sink import Sink, Tee
from sandbox.logger.tensorboard import TensorBoard
from sandbox.logger.weights_and_biases import WeightsAndBiases
from sandbox.runconfig import RunConfig
from sandbox.runfolder import RunFolder
from sandbox.stop import Stop
from sandbox.train import Run, train


def work(config: RunConfig, folder: RunFolder, *, go_on: bool, quiet: bool) -> int | None:
    """Train in `folder`, from its newest checkpoint if `go_on`; the signal that stopped it early, or None.

    Raises:
        UserError: for what a user can mend.
    """

    def tell(line: str) -> None:
        print(f"note: {line}", file=sys.stderr, flush=True)

    with Stop() as stop:
        parts = build(config, folder.path.parent)
        stream = learner_config(config).stream.make(parts.source, parts.learner, parts.rng, parts.compute)
        run = Run(parts.learner, stream, parts.rng)
        truth = Jsonl(folder.metrics)
        sinks: list[Sink] = [truth, console(config.steps, quiet=quiet)]
        checkpoints = Checkpoints(folder.checkpoints, tell)
        journal = Journal(parts, folder, truth, Tee(sinks), checkpoints, stop.requested)
        if go_on and checkpoints.exist():
            tell(f"going on from step {journal.load(run.parts())}")
        elif go_on:
            tell("nothing was saved yet: starting from the beginning")
        sinks += _mirrors(config, folder)
        summary: dict[str, Any] = {"finished": False}
        try:
            summary = {"finished": train(run, config, journal), "step": run.stream.step}
        finally:
            Tee(sinks).close({**summary, **folder.latest()})
        return stop.signal


def _mirrors(config: RunConfig, folder: RunFolder) -> list[Sink]:
    mirrors: list[Sink] = []
    if config.logger.tensorboard:
        mirrors.append(TensorBoard(folder.path / "tensorboard"))
    if config.logger.wandb != "off":
        settings = config.model_dump(mode="json")
        mirrors.append(WeightsAndBiases(config.logger.wandb, config.logger.project, folder.name, folder.path, settings))
    return mirrors
