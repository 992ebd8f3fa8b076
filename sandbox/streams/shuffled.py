"""Batches of a data set in random order, epoch after epoch."""

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from pydantic import PositiveInt

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.stream import StreamConfig


class ShuffledConfig(StreamConfig):
    """`batch_size` images an update; an epoch's incomplete last batch is dropped.

    `resample`: black and white, each grey the probability of white, drawn anew for every batch.
    """

    batch_size: PositiveInt = 100
    resample: bool = False

    def make(self, source: DataSet, learner: Learner, rng: Rng, compute: Compute) -> "Shuffled":
        """Raises UserError if one batch is more than the whole training set."""
        take = images_of(source, self.resample, rng, compute)
        return Shuffled(self.batch_size, source, take, rng, compute)


def images_of(source: DataSet, resample: bool, rng: Rng, compute: Compute) -> Callable[[torch.Tensor], torch.Tensor]:
    """What gives rows [B] of the training set, on the device; with `resample`, newly drawn in black and white.

    Raises:
        UserError: if points are to be drawn anew.
    """
    if resample and source.train.dtype != torch.uint8:
        raise UserError(
            "generator.stream.resample=true draws pixels by their greys, but these data are points. "
            "Leave it out, or take a set of images."
        )
    images = source.train.to(compute.device)
    generator = rng.torch("shuffle/resample", compute.device)

    def drawn(rows: torch.Tensor) -> torch.Tensor:
        greys = images[rows]
        below = torch.empty_like(greys).random_(0, 255, generator=generator)  # 0..254: white always, black never
        return (below < greys).to(torch.uint8) * 255

    return drawn if resample else images.__getitem__


class Shuffled:
    """The whole training set on the device; yields what `take` makes of rows [B] of it, such as uint8 images."""

    def __init__(
        self,
        batch_size: int,
        source: DataSet,
        take: Callable[[torch.Tensor], Any],
        rng: Rng,
        compute: Compute,
        name: str = "shuffle",
    ) -> None:
        """`name`: of the generator that orders the rows, and of this part of a checkpoint."""
        if batch_size > len(source.train):
            raise UserError(
                f"generator.stream.batch_size={batch_size} is more than the {len(source.train)} training images. "
                f"Set generator.stream.batch_size to at most {len(source.train)}."
            )
        self.step = 0  # batches handed out, that is updates
        self._batch_size, self._device, self._take = batch_size, compute.device, take
        self._size = len(source.train)
        self._digest = hashlib.sha256(source.train.numpy().tobytes()).hexdigest()
        self._name, self._generator = name, rng.torch(name, torch.device("cpu"))
        self._epoch_size = len(source.train) // batch_size  # batches
        self._order = torch.empty(0, dtype=torch.int64)  # this epoch's permutation, on the device

    def __next__(self) -> Any:
        cursor = self.step % self._epoch_size
        if cursor == 0:
            self._order = torch.randperm(self._size, generator=self._generator).to(self._device)
        self.step += 1
        return self._take(self._order[cursor * self._batch_size : (cursor + 1) * self._batch_size])

    def metrics(self) -> dict[str, float]:
        """`data/epoch`: passes through the training set so far."""
        return {"data/epoch": self.step / self._epoch_size}

    def parts(self) -> dict[str, Stateful]:
        return {self._name: self}

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "order": self._order.clone(), "data": self._digest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises UserError if the run was learning from other images."""
        if state["data"] != self._digest:
            raise UserError(
                "the training images are not those this run began with (has data.agent been trained on since?). "
                "Put that run back, or train a new one."
            )
        self.step, self._order = state["step"], state["order"].to(self._device)
