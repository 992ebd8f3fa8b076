"""The training loop: it decides when to log, evaluate and save. It knows interfaces only, no agent or generator."""

import copy
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from pydantic import Field

from sandbox.config.base import Config
from sandbox.config.numbers import Steps, StepsOrZero
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.learner import Learner, Metrics, learner_parts
from sandbox.interfaces.stream import Stream
from sandbox.training.finite import bad_metric, bad_weight


class Periods(Config):
    """Length of a run and periods of its side effects.

    A step is an agent step if the run has an environment, and an update if it has a data set.
    """

    steps: Steps = Field(description="length of the training, in steps")
    log_period: Steps = Field(1_000, description="steps between two lines of the log")
    evaluate_period: StepsOrZero = Field(0, description="steps between two evaluations; 0 never evaluates")
    media_period: StepsOrZero = Field(0, description="steps between two videos or sample images; 0 makes none")
    checkpoint_period: StepsOrZero = Field(10_000, description="steps between two checkpoints; 0 saves at the end only")


class Averages:
    """Means of the learner's metrics since the last line of the log, summed on the device."""

    def __init__(self) -> None:
        self._sums: dict[str, Any] = {}
        self._counts: dict[str, int] = {}

    def add(self, metrics: Metrics) -> None:
        for name, value in metrics.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        """Return the means as floats, which waits for the device, and start again."""
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means

    def state_dict(self) -> dict[str, Any]:
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])


class Run:
    """A learner and its stream; its whole state is in `parts()`."""

    def __init__(self, learner: Learner, stream: Stream, rng: Rng) -> None:
        self.learner, self.stream, self.rng = learner, stream, rng
        self.averages = Averages()
        self.owed_evaluations = Counter()  # 1 after a stop in the middle of one

    def steps(self, stopping: Callable[[], bool] = lambda: False) -> Iterator[tuple[Any, Metrics]]:
        """Yield batches and the metrics of the updates on them; endlessly, unless it stops before the first one."""
        while True:
            while (batch := next(self.stream)) is None:
                if stopping():
                    return
            metrics = self.learner.update(batch)
            self.averages.add(metrics)
            yield batch, metrics

    def evaluate(self, recorder: "Recorder") -> None:
        """Evaluate the learner and record the metrics.

        If a stop cuts that short, the evaluation is owed, and the random streams are as if it had not begun.
        """
        before = copy.deepcopy(self.rng.state_dict())
        metrics = recorder.evaluate(self.stream.step)
        self.owed_evaluations.value = int(metrics is None)
        if metrics is None:
            self.rng.load_state_dict(before)
        else:
            recorder.write(self.stream.step, metrics)

    def parts(self) -> dict[str, Stateful]:
        return {
            **learner_parts(self.learner),
            **{f"stream.{name}": part for name, part in self.stream.parts().items()},
            "averages": self.averages,
            "owed_evaluations": self.owed_evaluations,
            "rng": self.rng,
        }


class Recorder(Protocol):
    """Side effects of a run: logging, evaluation, media and checkpoints. Implemented by `sandbox.runs.recorder`."""

    def write(self, step: int, metrics: dict[str, float]) -> None:
        """Write a line of the log, and a snapshot of the learner if one is due."""

    def evaluate(self, step: int) -> dict[str, float] | None:
        """Evaluate the learner and return the metrics; None as soon as the run is `stopping()`."""

    def save_media(self, step: int) -> None:
        """Write a video or images."""

    def save(self, step: int, parts: dict[str, Stateful], *, finished: bool) -> None:
        """Write a checkpoint; of a finished run, perhaps without its replay."""

    def dump_batch(self, step: int, batch: Any) -> Path:
        """Write a batch for people to examine, and return where it is."""

    def nan_hint(self) -> str:
        """Return likely causes of a loss that is not finite."""

    def stopping(self) -> bool:
        """Return whether the run was asked to stop."""


def train(run: Run, periods: Periods, recorder: Recorder) -> bool:
    """Train until `periods.steps`, or until the recorder is asked to stop; either way the run is saved.

    Returns:
        Whether the run reached its last step.

    Raises:
        UserError: For a metric or weight that is not finite, or a checkpoint that cannot be written.
    """
    before = logged = run.stream.step
    logged_at = time.perf_counter()
    if run.owed_evaluations.value:
        run.evaluate(recorder)
        if run.owed_evaluations.value:
            return False
        recorder.save(before, run.parts(), finished=before >= periods.steps)
    if before >= periods.steps:
        return True
    for batch, metrics in run.steps(recorder.stopping):
        step = run.stream.step
        done = step >= periods.steps
        stop = done or recorder.stopping()
        log = done or crossed(periods.log_period, before, step)
        save = stop or crossed(periods.checkpoint_period, before, step)
        if bad := bad_metric(metrics, log or save) or (bad_weight(run.learner) if save else None):
            place = recorder.dump_batch(step, batch)
            raise UserError(f"{bad} at step {step}. The batch is in {place}. {recorder.nan_hint()}")
        if log:
            now = time.perf_counter()
            speed = {"time/steps_per_second": (step - logged) / (now - logged_at)}
            recorder.write(step, {**run.averages.take(), **run.stream.metrics(), **speed})
            logged, logged_at = step, now
        if crossed(periods.evaluate_period, before, step) or (done and periods.evaluate_period):
            run.evaluate(recorder)
        if crossed(periods.media_period, before, step):
            recorder.save_media(step)
        finished = done and not run.owed_evaluations.value
        if save or run.owed_evaluations.value:
            recorder.save(step, run.parts(), finished=finished)
        if stop or run.owed_evaluations.value:
            return finished
        before = step
    recorder.save(before, run.parts(), finished=False)
    return False


def crossed(period: int, before: int, step: int) -> bool:
    """Return whether a multiple of `period` is in (before, step]; a period of 0 has none."""
    return period > 0 and step // period > before // period
