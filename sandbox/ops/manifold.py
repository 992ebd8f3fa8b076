"""Of two sets of features: how much of each lies where the other one is, by balls around points.

Papers: Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for Assessing Generative Models"; Naeem et al.
2020, "Reliable Fidelity and Diversity Metrics for Generative Models". A point's ball reaches to its k-th neighbour in
its own set.
Deviations: one k, Naeem et al.'s 5, for all four (Kynkäänniemi et al. take 3 for the first two).
"""

from dataclasses import dataclass

import torch

NEIGHBOURS = 5
_ROWS = 500  # at a time: at 10,000 points a table of distances has 40 MB


@dataclass(frozen=True)
class Overlap:
    """Each in [0, 1], but density, which is 1 on average of real ones and may be more."""

    precision: float
    recall: float
    density: float
    coverage: float


def radii(x: torch.Tensor, k: int = NEIGHBOURS) -> torch.Tensor:
    """The squared distance of each of [N, F] to its k-th neighbour: [N]; N is k + 1 at least."""
    nearest = [_squared(rows, x).topk(k + 1, largest=False).values[:, -1] for rows in torch.split(x, _ROWS)]
    return torch.cat(nearest)  # k + 1, since the nearest of all is itself


def overlap(
    real: torch.Tensor, fake: torch.Tensor, real_radii: torch.Tensor, fake_radii: torch.Tensor, k: int = NEIGHBOURS
) -> Overlap:
    """Of real [N, F] and fake [M, F] features in float64, with their `radii`.

    Precision: the share of fakes in any real ball; recall: of real ones in any fake ball; density: real balls around
    a fake, over k; coverage: the share of real balls with a fake in them.
    """
    in_balls, recalled, covered = torch.zeros(len(fake), dtype=torch.int64), 0, 0
    for rows, reach in zip(torch.split(real, _ROWS), torch.split(real_radii, _ROWS), strict=True):
        distances = _squared(rows, fake)
        within = distances <= reach[:, None]
        in_balls += within.sum(0)
        covered += int(within.any(1).sum())
        recalled += int((distances <= fake_radii).any(1).sum())
    return Overlap(
        precision=int((in_balls > 0).sum()) / len(fake),
        recall=recalled / len(real),
        density=int(in_balls.sum()) / (k * len(fake)),
        coverage=covered / len(real),
    )


def _squared(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """|x - y|^2: [N, F] and [M, F] -> [N, M]."""
    return (x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.mT).clamp_(min=0)
