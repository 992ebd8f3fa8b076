"""A learner that is trained by several processes, each on its rows of every batch."""

from typing import Any

import torch

from sandbox.buffers.priorities import Prioritized
from sandbox.core.processes import Processes
from sandbox.core.stateful import Stateful
from sandbox.interfaces.learner import Learner, Metrics


class SharedLearner:
    """A learner whose `update` takes the whole batch, the same in all processes, and learns from this one's rows.

    Its optimizer joins the gradients. Metrics are means over the processes, and priorities are those of all rows.
    """

    def __init__(self, learner: Learner, processes: Processes) -> None:
        self._learner, self._processes = learner, processes

    def update(self, batch: Any) -> Metrics:
        """Update the learner on this process's rows."""
        rows = rows_of(batch, self._processes)
        metrics = self._learner.update(rows)
        if isinstance(batch, Prioritized):
            batch.set_priorities(self._processes.gather(rows.priorities))
        tensors = {name: value for name, value in metrics.items() if isinstance(value, torch.Tensor)}
        means = self._processes.reduce(list(tensors.values()), "mean") if tensors else []
        return {**metrics, **dict(zip(tensors, means, strict=True))}

    def parts(self) -> dict[str, Stateful]:
        """Return the parts of the learner."""
        return self._learner.parts()


def rows_of(batch: Any, processes: Processes) -> Any:
    """Return this process's rows of a batch: a tensor [B, ...], or a named tuple of tensors and other batches."""
    if isinstance(batch, torch.Tensor):
        return processes.rows(batch)
    if isinstance(batch, tuple):
        parts = [rows_of(part, processes) for part in batch]
        return type(batch)(*parts)
    return batch
