"""Stages of a training, and metrics that are measured periodically."""

from collections.abc import Callable, Sequence
from typing import Any

import torch


def current_stage(update: int, lengths: Sequence[int]) -> tuple[int, int]:
    """Return the stage that an update belongs to, and the number of updates before it in that stage.

    Args:
        update: Number of the update, from 0.
        lengths: Updates of each stage but the last, which never ends.
    """
    for stage, length in enumerate(lengths):
        if update < length:
            return stage, update
        update -= length
    return len(lengths), update


class PeriodicMetrics:
    """Metrics that are measured every hundred updates, since measuring costs more than an update.

    Updates in between report the last values, which are in the checkpoint.
    """

    _PERIOD = 100

    def __init__(self) -> None:
        self.values: dict[str, torch.Tensor] = {}

    def due(self, update: int) -> bool:
        """Return whether to measure at this update."""
        return update % self._PERIOD == 0

    def update(self, update: int, measure: Callable[[], dict[str, torch.Tensor]]) -> None:
        """Measure if it is due."""
        if self.due(update):
            self.values = measure()

    def state_dict(self) -> dict[str, Any]:
        return dict(self.values)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.values = dict(state)
