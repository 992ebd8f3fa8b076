"""One run in several processes: what they need, and what each of them does besides its updates."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.processes import ALONE, Processes, ProcessGroup, from_first, in_any
from sandbox.core.stateful import Stateful
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.split import Whole
from sandbox.networks.layers.random_numbers import RandomNumbers
from sandbox.runs.config import RunConfig
from sandbox.training.loop import Recorder, Run


def shared_by(processes: Processes, config: RunConfig) -> Processes:
    """Return the processes as the learner of a run reduces its gradients.

    Raises:
        UserError: If the learner needs whole batches, or the processes cannot have equal shares of them.
    """
    if processes is ALONE:
        return processes
    split = config.learner.split()
    if isinstance(split, Whole):
        raise _refusal(config, split.reason)
    for option, size in split.sizes.items():
        if size % processes.count:
            good = [count for count in range(1, size + 1) if not any(each % count for each in split.sizes.values())]
            near = min(good, key=lambda count: (abs(count - processes.count), -count))
            more = -(-size // processes.count) * processes.count
            raise UserError(
                f"{processes.count} processes cannot have equal shares of {option}={size}. Start {near} "
                f"(torchrun --nproc-per-node {near}), or set {option}={more}."
            )
    return ProcessGroup(processes.rank, processes.count, split.reduction)


def require_separate_rows(learner: Learner, config: RunConfig, compute: Compute) -> None:
    """Raise `UserError` if several processes share batches whose rows the learner's networks do not keep apart."""
    if compute.processes is ALONE:
        return
    for layer in _layers(learner):
        if isinstance(layer, _BatchNorm) and layer.training:
            raise _refusal(config, "its batch norms need the statistics of whole batches")
        if isinstance(layer, RandomNumbers):
            raise _refusal(config, "its dropout draws random numbers for whole batches")


def _refusal(config: RunConfig, reason: str) -> UserError:
    return UserError(
        f"{config.learner.name} cannot be trained by several processes: {reason}. "
        "Start it without torchrun; several seeds run side by side with `sandbox sweep`."
    )


def _layers(learner: Learner) -> list[nn.Module]:
    modules = [part for part in learner.parts().values() if isinstance(part, nn.Module)]
    return [layer for module in modules for layer in module.modules()]


class FirstRecorder:
    """The recorder of the first process, which alone writes and evaluates; it tells the others when the run stops."""

    def __init__(self, recorder: Recorder, run: Run, processes: Processes) -> None:
        self._recorder, self._run, self._processes = recorder, run, processes
        self.write, self.save_media = recorder.write, recorder.save_media
        self.dump_batch, self.nan_hint = recorder.dump_batch, recorder.nan_hint

    def evaluate(self, step: int) -> dict[str, float] | None:
        """Evaluate the learner."""
        metrics = self._recorder.evaluate(step)
        in_any(metrics is None, self._processes)
        return metrics

    def save(self, step: int, parts: dict[str, Stateful], *, finished: bool) -> None:
        """Write a checkpoint, if the processes are still equal."""
        _require_equal(self._run, self._processes)
        self._recorder.save(step, parts, finished=finished)

    def stopping(self) -> bool:
        """Return whether any process was asked to stop."""
        return in_any(self._recorder.stopping(), self._processes)


class OtherRecorder:
    """The recorder of another process, which writes nothing and goes on as the first one says."""

    def __init__(self, run: Run, stopping: Callable[[], bool], processes: Processes) -> None:
        self._run, self._stopping, self._processes = run, stopping, processes

    def write(self, step: int, metrics: dict[str, float]) -> None:
        """Do nothing."""

    def evaluate(self, step: int) -> dict[str, float] | None:
        """Wait for the first process's evaluation; return no metrics, or None if it was stopped."""
        return None if in_any(False, self._processes) else {}

    def save_media(self, step: int) -> None:
        """Do nothing."""

    def save(self, step: int, parts: dict[str, Stateful], *, finished: bool) -> None:
        """Do nothing, if the processes are still equal."""
        _require_equal(self._run, self._processes)

    def dump_batch(self, step: int, batch: Any) -> Path:
        """Return the place of the first process's file."""
        return Path(f"batch_{step}")

    def nan_hint(self) -> str:
        """Return nothing: the first process says it."""
        return ""

    def stopping(self) -> bool:
        """Return whether any process was asked to stop."""
        return in_any(self._stopping(), self._processes)


def _require_equal(run: Run, processes: Processes) -> None:
    """Raise `UserError` if the weights or the step of a process are not those of the first one."""
    weights = [parameter.detach().double().sum() for layer in _layers(run.learner) for parameter in layer.parameters()]
    mine = json.dumps([run.stream.step, float(torch.stack(weights).sum()) if weights else 0.0])
    if in_any(from_first(processes, mine) != mine, processes):
        raise UserError(
            "the processes have drifted apart: their weights or steps differ. All must have the same processor or GPU, "
            "the same packages and the same number of threads. The newest checkpoint is from before that."
        )
