"""The store of a Hopfield network: the first different patterns that it was trained on."""

import torch
from torch import nn

_SAME = 1e-6  # squared distance of equal patterns; two that differ by 1 / 255 in one pixel are 6e-5 apart


class PatternStore(nn.Module):
    """Up to `capacity` patterns of N units in -1..1, in the order of their arrival, each once.

    A pattern that is stored already is ignored, and so is every pattern once the store is full. Thus further epochs
    store nothing new.
    """

    patterns: torch.Tensor
    count: torch.Tensor

    def __init__(self, capacity: int, size: int) -> None:
        super().__init__()
        self.register_buffer("patterns", torch.zeros(capacity, size))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def add(self, patterns: torch.Tensor) -> None:
        """Store the patterns [B, N] that are new, without waiting for the device."""
        places = torch.arange(len(self.patterns), device=self.patterns.device)
        known = (_equal_rows(patterns, self.patterns) & (places < self.count)).any(1)
        repeated = _equal_rows(patterns, patterns).tril(-1).any(1)
        new = ~(known | repeated)
        new_first = torch.argsort(~new, stable=True)
        nth = places - self.count  # which of the new patterns a free place gets
        filled = (nth >= 0) & (nth < new.sum())
        candidates = patterns[new_first][nth.clamp(0, len(patterns) - 1)]
        self.patterns = torch.where(filled[:, None], candidates, self.patterns)
        self.count = (self.count + new.sum()).clamp(max=len(places))

    def stored(self) -> torch.Tensor:
        """Return the stored patterns [P, N], P <= capacity; this waits for the device."""
        return self.patterns[: int(self.count)]


def _equal_rows(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return which rows of a [A, N] and b [B, N] are equal: [A, B].

    Distances come from products in fp64, since a table of all differences would not fit into memory.
    """
    a, b = a.double(), b.double()
    return a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T < _SAME
