"""The `Learner` interface: one update on one batch, and the state that a checkpoint holds; and `RefusesExport`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import torch

from sandbox.core.stateful import Stateful, TrainingPart

Metrics = Mapping[str, torch.Tensor | float]


class Learner(Protocol):
    """Improves with every batch. It owns its optimizers; loops own time, logging and checkpoints."""

    @abstractmethod
    def update(self, batch: Any) -> Metrics:
        """Learn from one batch, and return metrics: 0-d tensors or numbers.

        Nothing here may wait for the device. No background work is in progress afterwards, so that the run may be
        evaluated and saved: the optimizer's step has waited for it.
        """

    @abstractmethod
    def parts(self) -> dict[str, Stateful]:
        """Return everything that decides what comes next, by name."""


class RefusesExport(ABC):
    """A learner that cannot be exported as a graph, or not with every option.

    Attributes:
        no_export: Why it cannot, as the end of a sentence; empty if it can.
    """

    no_export: str


def learner_parts(learner: Learner) -> dict[str, Stateful]:
    """Return the parts of a learner by their names in a checkpoint."""
    return {f"learner.{name}": part for name, part in learner.parts().items()}


def model_parts(learner: Learner) -> dict[str, Stateful]:
    """Return the parts of a learner by their names in a checkpoint, without those that only training needs."""
    return {name: part for name, part in learner_parts(learner).items() if not isinstance(part, TrainingPart)}
