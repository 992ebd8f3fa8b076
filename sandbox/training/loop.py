"""The one loop: it owns time, logging, evaluating and saving, and knows interfaces only."""

import copy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.learner import Learner, Metrics
from sandbox.interfaces.stream import Stream

_HOPELESS = 1e20  # of a loss; the squares of what made it leave the range of single precision


class Periods(Protocol):
    """When what happens, in the stream's steps; 0 is never. `RunConfig` has these fields."""

    steps: int
    log_period: int
    evaluate_period: int
    media_period: int
    checkpoint_period: int


class Averages:
    """Means of what `update` reports since the last line of the log, summed on the device."""

    def __init__(self) -> None:
        self._sums: dict[str, Any] = {}
        self._counts: dict[str, int] = {}

    def add(self, metrics: Metrics) -> None:
        for name, value in metrics.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        """The means as floats (this waits for the device), and start again."""
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means

    def state_dict(self) -> dict[str, Any]:
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])


class Run:
    """A learner and its stream; everything that decides what comes next is in `parts()`."""

    def __init__(self, learner: Learner, stream: Stream, rng: Rng) -> None:
        self.learner, self.stream = learner, stream
        self.averages = Averages()
        self.owed_evaluations = Counter()  # 1 after a stop in the middle of one
        self._rng = rng

    def steps(self) -> Iterator[tuple[Any, Metrics]]:
        """Endlessly: draw a batch, learn from it, yield both it and what the update reports."""
        while True:
            batch = next(self.stream)
            metrics = self.learner.update(batch)
            self.averages.add(metrics)
            yield batch, metrics

    def evaluate(self, outside: "Recorder") -> None:
        """Write the score down; if a stop cuts that short, it is owed, and nothing has been drawn for it."""
        before = copy.deepcopy(self._rng.state_dict())
        scores = outside.evaluate(self.stream.step)
        self.owed_evaluations.value = int(scores is None)
        if scores is None:
            self._rng.load_state_dict(before)
        else:
            outside.write(self.stream.step, scores)

    def parts(self) -> dict[str, Stateful]:
        return {
            **{f"learner.{name}": part for name, part in self.learner.parts().items()},
            **{f"stream.{name}": part for name, part in self.stream.parts().items()},
            "averages": self.averages,
            "owed_evaluations": self.owed_evaluations,
            "rng": self._rng,
        }


class Recorder(Protocol):
    """What a run does to the world: `sandbox.runs.recorder` has the one over a run folder."""

    def write(self, step: int, metrics: dict[str, float]) -> None: ...
    def evaluate(self, step: int) -> dict[str, float] | None:
        """The score, or None as soon as it is `stopping()`."""

    def show(self, step: int) -> None: ...
    def save(self, step: int, parts: dict[str, Stateful]) -> None: ...
    def keep(self, step: int, batch: Any) -> Path: ...
    def advice(self) -> str:
        """What to do about a loss that is not finite."""

    def stopping(self) -> bool: ...


def train(run: Run, periods: Periods, outside: Recorder) -> bool:
    """Go on until `periods.steps`; whether it got there, or was asked to stop (it saves either way).

    Raises:
        UserError: for a loss that is not finite or beyond all hope, or a checkpoint that cannot be written.
    """
    before = logged = run.stream.step
    logged_at = time.perf_counter()
    if run.owed_evaluations.value:
        run.evaluate(outside)
        if run.owed_evaluations.value:
            return False
        outside.save(before, run.parts())
    if before >= periods.steps:
        return True
    for batch, metrics in run.steps():
        step = run.stream.step
        done = step >= periods.steps
        stop = done or outside.stopping()
        log = done or _crossed(periods.log_period, before, step)
        save = stop or _crossed(periods.checkpoint_period, before, step)
        _refuse_nonfinite(metrics.get("loss", 0.0), log or save, step, batch, outside)
        if log:
            now = time.perf_counter()
            speed = {"time/steps_per_second": (step - logged) / (now - logged_at)}
            outside.write(step, {**run.averages.take(), **run.stream.metrics(), **speed})
            logged, logged_at = step, now
        if _crossed(periods.evaluate_period, before, step) or (done and periods.evaluate_period):
            run.evaluate(outside)
        if _crossed(periods.media_period, before, step):
            outside.show(step)
        if save or run.owed_evaluations.value:
            outside.save(step, run.parts())
        if stop or run.owed_evaluations.value:
            return done and not run.owed_evaluations.value
        before = step
    raise AssertionError("streams are endless")


def _crossed(period: int, before: int, step: int) -> bool:
    """Whether a multiple of `period` lies in (before, step]; 0 is never."""
    return period > 0 and step // period > before // period


def _refuse_nonfinite(loss: torch.Tensor | float, look: bool, step: int, batch: Any, outside: Recorder) -> None:
    """On a CPU every loss is looked at; on a GPU, where a look waits for the device, only when it is written down."""
    on_device = isinstance(loss, torch.Tensor) and loss.device.type != "cpu"
    if (on_device and not look) or abs(float(loss)) <= _HOPELESS:  # which nan is not
        return
    place = outside.keep(step, batch)
    raise UserError(f"the loss is {float(loss):g} at step {step}. The batch is kept in {place}. {outside.advice()}")
