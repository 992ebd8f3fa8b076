"""What both Hopfield networks keep: the different patterns that they were shown first."""

import torch
from torch import nn

_SAME = 1e-6  # squared distance of two patterns; one pixel that is a 255th lighter is 6e-5 away


class Memory(nn.Module):
    """Room for `room` patterns [room, N] of -1..1; they fill it in the order they come, each once.

    A pattern that is kept already is passed over, and so is everything as soon as the room is full: any number of
    epochs keep what the first one did.
    """

    patterns: torch.Tensor
    count: torch.Tensor

    def __init__(self, room: int, size: int) -> None:
        super().__init__()
        self.register_buffer("patterns", torch.zeros(room, size))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def keep(self, patterns: torch.Tensor) -> None:
        """Take in what is new of `patterns` [B, N], without waiting for the device."""
        places = torch.arange(len(self.patterns), device=self.patterns.device)
        known = (_alike(patterns, self.patterns) & (places < self.count)).any(1)
        again = _alike(patterns, patterns).tril(-1).any(1)
        new = ~(known | again)
        first = torch.argsort(~new, stable=True)  # the new ones, in their order, then the others
        nth = places - self.count
        fresh = (nth >= 0) & (nth < new.sum())
        self.patterns = torch.where(fresh[:, None], patterns[first][nth.clamp(0, len(patterns) - 1)], self.patterns)
        self.count = (self.count + new.sum()).clamp(max=len(places))

    def kept(self) -> torch.Tensor:
        """[P, N], P <= room; this waits for the device."""
        return self.patterns[: int(self.count)]


def _alike(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Which rows of a [A, N] and b [B, N] are equal, [A, B]; by products in fp64, since all pairs would not fit."""
    a, b = a.double(), b.double()
    return a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T < _SAME
