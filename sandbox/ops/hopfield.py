"""Hopfield networks: E(s) = -1/2 s·W·s, units -1 or +1 (Hopfield 1982), and the modern one (Ramsauer et al. 2021).

Throughout: N units; patterns are floats [P, N], one a row, states floats [B, N]. A row of zeros stores nothing.
"""

import math
from collections.abc import Iterator

import torch


def hebbian(patterns: torch.Tensor) -> torch.Tensor:
    """Return W = X^T X / N with a zero diagonal, [N, N] (Hopfield 1982, equation 2)."""
    return (patterns.T @ patterns / patterns.shape[1]).fill_diagonal_(0)


def projection(patterns: torch.Tensor) -> torch.Tensor:
    """Return the projection on the patterns' span, X^+ X, with a zero diagonal, [N, N] (Personnaz et al. 1985)."""
    _, lengths, directions = torch.linalg.svd(patterns, full_matrices=False)
    smallest = max(patterns.shape) * torch.finfo(patterns.dtype).eps * lengths.amax(0, keepdim=True)
    basis = directions * (lengths > smallest)[:, None]  # orthonormal: the error stays that of rounding
    weight = basis.T @ basis
    return ((weight + weight.T) / 2).fill_diagonal_(0)  # symmetric, which rounding would spoil


def energy(weight: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    """Return E(s), [B]."""
    return -0.5 * ((s @ weight) * s).sum(-1)


def asynchronous_updates(
    weight: torch.Tensor, s: torch.Tensor, generator: torch.Generator, known: torch.Tensor | None = None
) -> Iterator[torch.Tensor]:
    """Recall asynchronously from s; yield one tensor [B, N], changed in place by one flip in each row.

    Each row flips one of its units that disagree with their field, each with the same probability, until none does.
    This is the course of visits to units in random order (with replacement) without the visits that change nothing.
    Every flip lowers that row's energy by twice its field; units with a field of 0 keep their state. A row at its fixed
    point does not change while others go on. The units that are `known`, True in [B, N], never flip.
    """
    s, fields = s.clone(), s @ weight
    free = torch.ones_like(s, dtype=torch.bool) if known is None else ~known
    slack = torch.finfo(s.dtype).eps ** 0.75 * weight.abs().sum(1).amax()  # smaller fields are rounding
    rows = torch.arange(len(s), device=s.device)
    while True:
        unstable = (fields[rows] * s[rows] < -slack) & free[rows]
        moving = unstable.any(1)
        rows, unstable = rows[moving], unstable[moving]
        if not len(rows):
            return
        priorities = 1 + torch.rand(unstable.shape, generator=generator, device=s.device)
        unit = (priorities * unstable).argmax(1)
        flipped = -s[rows, unit]
        s[rows, unit] = flipped
        fields[rows] += 2 * flipped[:, None] * weight[unit]
        yield s


def recall(
    weight: torch.Tensor, s: torch.Tensor, generator: torch.Generator, known: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the fixed points that `asynchronous_updates` reaches from s, [B, N]."""
    for reached in asynchronous_updates(weight, s, generator, known):
        s = reached
    return s


def retrieve(patterns: torch.Tensor, s: torch.Tensor, beta: float) -> torch.Tensor:
    """Return one step of the modern network, softmax(beta s X^T) X, [B, N] (Ramsauer et al. 2021, equation 3)."""
    return torch.softmax(beta * s @ patterns.T, -1) @ patterns


def modern_energy(patterns: torch.Tensor, s: torch.Tensor, beta: float) -> torch.Tensor:
    """Return -lse(beta, X s) + s·s/2 + log P/beta + M^2/2, [B] (Ramsauer et al. 2021, equation 2).

    M is the length of the longest pattern. The energy is at least 0, and no step of `retrieve` raises it.
    """
    similarity = torch.logsumexp(beta * s @ patterns.T, -1) / beta
    constant = math.log(len(patterns)) / beta + 0.5 * patterns.square().sum(-1).amax()
    return -similarity + 0.5 * s.square().sum(-1) + constant
