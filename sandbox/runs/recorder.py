"""Records everything that a run produces: log lines, evaluations, videos and images, checkpoints."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.core.messages import note
from sandbox.core.progress import progress
from sandbox.core.stateful import Stateful
from sandbox.evaluate.agents import Stopped
from sandbox.evaluate.collapse import CollapseWatch
from sandbox.interfaces.learner import model_parts
from sandbox.logger.base import Sink
from sandbox.optimizers.base import Optimizer
from sandbox.runs.build import BuiltRun
from sandbox.runs.config import AgentRun
from sandbox.runs.config_guard import ConfigGuard
from sandbox.runs.left_out import replay_parts
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.jsonl import Jsonl
from sandbox.storage.run_folder import RunFolder
from sandbox.storage.tree import write_tree
from sandbox.training.batch_norm import paused_batch_norms
from sandbox.training.update_watch import UpdateWatch

_ALL = 1_000_000  # snapshots that are kept


class RunRecorder:
    """The recorder of a run folder; see `sandbox.training.loop.Recorder`."""

    def __init__(
        self,
        built: BuiltRun,
        folder: RunFolder,
        metrics_log: Jsonl,
        sink: Sink,
        checkpoints: Checkpoints,
        stopping: Callable[[], bool],
        watch: UpdateWatch,
    ) -> None:
        """Record into `folder`.

        Args:
            built: The run.
            folder: Its folder.
            metrics_log: The log in the folder, whose length is part of every checkpoint.
            sink: Receives every line; passes it to the log and its mirrors.
            checkpoints: The run's checkpoints.
            stopping: Whether the run was asked to stop.
            watch: Its findings are added to the next line.
        """
        self._built = built
        self._folder = folder
        self._metrics_log = metrics_log
        self._sink = sink
        self._checkpoints = checkpoints
        self.stopping = stopping
        self._watch, self._collapse = watch, CollapseWatch()

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write a line of the log, and a snapshot if the step has passed the place of one."""
        before = self._metrics_log.last_step
        self._sink.write(step, {**metrics, **self._watch.take()})
        if self._snapshots_until(step) > self._snapshots_until(before):
            snapshots = Checkpoints(self._folder.snapshots, kept=_ALL, noun="snapshot")
            with progress.phase("saving"):
                snapshots.save(step, model_parts(self._built.learner))

    def evaluate(self, step: int) -> dict[str, float] | None:
        """Evaluate the learner and return the metrics as `eval/...`; None if the run was asked to stop."""
        try:
            with progress.phase("evaluating"), paused_batch_norms(self._built.learner):
                found = self._built.evaluate_in_training(self.stopping)
        except Stopped:
            return None
        if warning := self._collapse.warning(step, found):
            note(warning)
        return {
            f"eval/{name.removesuffix('_mean')}": value for name, value in found.items() if isinstance(value, float)
        }

    def save_media(self, step: int) -> None:
        """Write a video of one episode, or images of samples and filters."""
        with progress.phase("rendering videos and images"):
            made = self._built.save_media(self._folder, step)
        for kind, place in made.items():
            self._sink.media(step, kind, place)

    def save(self, step: int, parts: Mapping[str, Stateful], *, finished: bool) -> None:
        """Write a checkpoint. That of a finished run lacks the replay and is the only one, unless `keep_replay`."""
        config = self._built.config
        thin = finished and isinstance(config, AgentRun) and not config.keep_replay
        replay = replay_parts(parts, keep=not thin)
        with progress.phase("saving"):
            saved = self._with_own_parts({**parts, **replay})
            place = self._checkpoints.save(step, saved, kept=1 if thin and replay else None)
        self._sink.checkpoint(step, place)

    def load(self, parts: Mapping[str, Stateful]) -> int:
        """Restore a run from its newest good checkpoint and return that checkpoint's step."""
        replay = replay_parts(parts, keep=True)
        step = self._checkpoints.load(self._with_own_parts({**parts, **replay}), whole_run=True)
        if any(part.missing for part in replay.values()) and step < self._built.config.steps:
            note(
                "the finished run was saved without its replay: the agent acts without updates until it is refilled, "
                "as at the beginning of a run. The numbers are not those of an uninterrupted run; to get them, train "
                "with keep_replay=true"
            )
        return step

    def nan_hint(self) -> str:
        """Return likely causes of a loss that is not finite, as far as the config can remove them."""
        causes = ["a learning rate that is too large (try a tenth of it)"]
        if any(isinstance(part, Optimizer) for part in self._built.learner.parts().values()):
            causes.append("gradients without a limit (set clip_norm: 10 in the optimizer's section)")
        causes.append(self._built.nonfinite_inputs)
        return f"Likely causes: {'; '.join(causes)}."

    def dump_batch(self, step: int, batch: Any) -> Path:
        """Write a batch for people to examine, and return its folder."""
        place = self._folder.path / f"batch_{step}"
        place.mkdir(exist_ok=True)
        write_tree(place, "batch", batch)
        return place

    def _snapshots_until(self, step: int) -> int:
        """Return how many snapshots are due by `step`."""
        config = self._built.config
        return step * config.snapshots // config.steps

    def _with_own_parts(self, parts: Mapping[str, Stateful]) -> dict[str, Stateful]:
        # In the order of loading: the config may refuse, and the log is cut back only when all else fits.
        return {"config": ConfigGuard(self._built.config), **parts, "logger": self._metrics_log}
