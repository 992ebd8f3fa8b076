"""Processes that train one run together, each on its own rows of every batch.

Every process holds the whole run: networks, random streams, environments and replay. All of them draw the same batch
and the same random numbers; each one computes the gradient of its rows, and what they compute is joined here. So the
numbers are those of one process, but for the order of sums.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Literal, Protocol

import torch
from torch import distributed

from sandbox.core.errors import UserError

Reduction = Literal["sum", "mean"]
Draw = Callable[[tuple[int, ...]], torch.Tensor]  # shape -> random numbers
_PATIENCE = timedelta(days=1)  # longest wait for the others, such as for the first one's evaluation


class Processes(Protocol):
    """The processes of a training, seen from one of them.

    Attributes:
        rank: Number of this process, from 0. The first one writes the run's files.
        count: Number of processes.
    """

    rank: int
    count: int

    def rows(self, whole: torch.Tensor, dim: int = 0) -> torch.Tensor:
        """Return this process's share of the rows of `whole`, a view; `dim` is the axis of the rows."""

    def drawn(self, draw: Draw, shape: Sequence[int], dim: int = 0) -> torch.Tensor:
        """Draw random numbers for the rows of all processes, and return this process's share, [*shape]."""

    def reduce(self, tensors: Sequence[torch.Tensor], reduction: Reduction | None = None) -> Sequence[torch.Tensor]:
        """Return sums or means over the processes; None is how gradients are joined: as the loss joins its rows."""

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the rows of all processes, joined along the first axis in the order of their ranks."""


class OneProcess:
    """A training in one process, which has all rows."""

    rank, count = 0, 1

    def rows(self, whole: torch.Tensor, dim: int = 0) -> torch.Tensor:
        """Return all rows."""
        return whole

    def drawn(self, draw: Draw, shape: Sequence[int], dim: int = 0) -> torch.Tensor:
        """Draw."""
        return draw(tuple(shape))

    def reduce(self, tensors: Sequence[torch.Tensor], reduction: Reduction | None = None) -> Sequence[torch.Tensor]:
        """Return the tensors."""
        return tensors

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the rows."""
        return rows


ALONE = OneProcess()


@dataclass
class ProcessGroup:
    """The processes that torchrun started. Every method is called by all of them, in the same order.

    All raise `LostProcessError` if another process has ended.
    """

    rank: int
    count: int
    reduction: Reduction = "mean"

    def rows(self, whole: torch.Tensor, dim: int = 0) -> torch.Tensor:
        """Return this process's share of the rows."""
        return whole.tensor_split(self.count, dim)[self.rank]

    def drawn(self, draw: Draw, shape: Sequence[int], dim: int = 0) -> torch.Tensor:
        """Draw for all rows, and return this process's."""
        whole = [size * self.count if axis == dim else size for axis, size in enumerate(shape)]
        return self.rows(draw(tuple(whole)), dim)

    def reduce(self, tensors: Sequence[torch.Tensor], reduction: Reduction | None = None) -> Sequence[torch.Tensor]:
        """Return sums or means over the processes; all tensors travel as one."""
        flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
        _joining(distributed.all_reduce, flat)
        if (reduction or self.reduction) == "mean":
            flat.div_(self.count)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the rows of all processes."""
        shares = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(self.count)]
        _joining(distributed.all_gather, shares, rows.contiguous())
        return torch.cat(shares)


class LostProcessError(UserError):
    """Another process of this training has ended."""

    def __init__(self) -> None:
        super().__init__(
            "another process of this training has ended, so this one ends, too. Its own message says why. "
            "Go on from the newest checkpoint: give the same command with `resume RUN` in place of `train ...`."
        )


@cache
def joined() -> Processes:
    """Join the processes that torchrun started; without torchrun, return this one.

    If all of them are on this machine, they talk over its loopback address only.
    """
    if not distributed.is_torchelastic_launched():
        return ALONE
    if os.environ.get("LOCAL_WORLD_SIZE") == os.environ.get("WORLD_SIZE"):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    backend = "gloo"
    if torch.cuda.is_available():
        backend = "cpu:gloo,cuda:nccl"
        torch.cuda.set_device(distributed.get_node_local_rank())
    _joining(distributed.init_process_group, backend, None, _PATIENCE)
    return ProcessGroup(distributed.get_rank(), distributed.get_world_size())


def in_any(mine: bool, processes: Processes) -> bool:
    """Return whether `mine` is true in any process."""
    return bool(processes.reduce([torch.tensor(float(mine))], "sum")[0])


def from_first(processes: Processes, text: str = "") -> str:
    """Return the text of the first process, in all of them."""
    if processes.count == 1:
        return text
    size = torch.tensor(len(text.encode()))
    _joining(distributed.broadcast, size, 0)
    letters = torch.zeros(int(size), dtype=torch.uint8)
    if processes.rank == 0:
        letters.copy_(torch.tensor(list(text.encode()), dtype=torch.uint8))
    _joining(distributed.broadcast, letters, 0)
    return bytes(letters.tolist()).decode()


def _joining(call: Callable[..., object], *arguments: object) -> None:
    """Call a function of `torch.distributed`.

    Raises:
        LostProcessError: If it fails, as it does when another process has ended.
    """
    try:
        call(*arguments)
    except RuntimeError as error:
        raise LostProcessError from error
