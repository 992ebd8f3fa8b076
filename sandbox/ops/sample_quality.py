"""Distances and coverage between two sets of features or points.

Papers:
    Fréchet distance: Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions"; Heusel et
        al. 2017 apply it to the features of one particular network. On the features of another classifier the number
        is a Fréchet classifier distance.
    Kernel distance: Binkowski et al. 2018, "Demystifying MMD GANs": the kernel (x . y / F + 1)^3, means over blocks.
    Precision, recall: Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for Assessing Generative
        Models"; density, coverage: Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models".
        The ball of a point reaches to its k-th neighbor in its own set.
    Modes: Lin et al. 2018, "PacGAN", section 4, with the definitions of Srivastava et al. 2017 (VEEGAN).
    Wasserstein distance: Villani 2009, "Optimal Transport", section 2; Bonneel et al. 2015, "Sliced and Radon
        Wasserstein Barycenters".
    Jensen-Shannon divergence: Lin 1991, "Divergence Measures Based on the Shannon Entropy". Cells can only hide a
        difference, so up to the noise of the counts it is a lower bound. The noise adds about (cells that matter) /
        (8 N) nats, to real points too.
Deviations:
    The blocks of the kernel distance are disjoint, so that their means are independent and have an interval.
    One k = 5, Naeem et al.'s, serves all four overlaps (Kynkäänniemi et al. take 3 for the first two).
"""

import math
from dataclasses import dataclass

import torch

from sandbox.ops.statistics import half_interval


def gaussian(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean [F] and covariance [F, F] (unbiased) of features [N, F], both float64; N is 2 at least."""
    x = features.double()
    mean = x.mean(0)
    x = x - mean
    return mean, x.mT @ x / (len(x) - 1)


def square_root(matrix: torch.Tensor) -> torch.Tensor:
    """The symmetric root of a symmetric matrix [F, F] without negative eigenvalues; it may have any rank."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors * values.clamp(min=0).sqrt() @ vectors.mT


def frechet_distance(one: tuple[torch.Tensor, torch.Tensor], other: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2) of two (mean, covariance): scalar, squared units."""
    (mean1, covariance1), (mean2, covariance2) = one, other
    root = square_root(covariance1)
    between = torch.linalg.eigvalsh(root @ covariance2 @ root).clamp(min=0).sqrt().sum()
    distance = (mean1 - mean2).square().sum() + covariance1.trace() + covariance2.trace() - 2 * between
    return distance.clamp(min=0)  # of two equal ones rounding leaves +-1e-13


_BLOCKS, _LARGEST = 10, 1_000


MIN_SIZE = 2 * _BLOCKS


def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """(x . y / F + 1)^3: [N, F] and [M, F] -> [N, M]."""
    return (x @ y.mT / x.shape[1] + 1) ** 3


def squared_mmd(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Unbiased, so it may be negative: x [N, F] and y [M, F] -> scalar; each has 2 at least."""
    n, m = len(x), len(y)
    within_x, within_y = kernel(x, x), kernel(y, y)
    within = (within_x.sum() - within_x.trace()) / (n * (n - 1)) + (within_y.sum() - within_y.trace()) / (m * (m - 1))
    return within - 2 * kernel(x, y).mean()


def kernel_distance(x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """The mean over disjoint blocks of two sets [N, F] in random order, and half its 95 % interval.

    Ten blocks, more where they would be larger than 1000. N is `MIN_SIZE`, 20, at least.
    """
    count = max(_BLOCKS, math.ceil(len(x) / _LARGEST))
    size = len(x) // count
    ours, theirs = (torch.split(each.double()[: count * size], size) for each in (x, y))
    blocks = torch.stack([squared_mmd(*pair) for pair in zip(ours, theirs, strict=True)])
    return float(blocks.mean()), half_interval(blocks.cpu().numpy())


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


REACH = 3.0  # standard deviations


def nearest_mode(points: torch.Tensor, centres: torch.Tensor, deviation: float) -> torch.Tensor:
    """The mode of each of [N, D] among centres [K, D], or -1 where none is within three standard deviations: [N].

    Such points are of high quality. In D = 2 that is 1 - exp(-4.5) = 98.9 % of the mixture itself, in D = 1 99.7 %.
    """
    exact = "donot_use_mm_for_euclid_dist"
    distances, modes = torch.cdist(points.double(), centres.double(), compute_mode=exact).min(1)
    return torch.where(distances <= REACH * deviation, modes, -1)


def counts(modes: torch.Tensor, num_modes: int) -> torch.Tensor:
    """How many samples of each mode: modes [N], -1 is none -> [K] float64. A mode is covered by a single one."""
    return torch.bincount(modes[modes >= 0], minlength=num_modes).double()


def reverse_kl(found: torch.Tensor) -> torch.Tensor:
    """KL of the found modes' shares to even ones: counts [K], not all 0 -> nats, at most log K."""
    p = found / found.sum()
    return torch.xlogy(p, p * len(p)).sum().clamp(min=0)


_SLICES = 64


def wasserstein(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Exact, on a line: x and y, [N, ...] each, along the first dimension -> [...], in the points' unit.

    The cheapest way carries the smallest to the smallest, and so on.
    """
    return (x.double().sort(0).values - y.double().sort(0).values).abs().mean(0)


def sliced_wasserstein(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """In the plane: the mean of `wasserstein` over 64 even directions; x and y [N, 2] -> scalar.

    A lower bound of the plane's own; a shift by d has 2 / pi of d.
    """
    angles = torch.arange(_SLICES, dtype=torch.float64) * (math.pi / _SLICES)
    directions = torch.stack([angles.cos(), angles.sin()])
    return wasserstein(x.double() @ directions, y.double() @ directions).mean()


_MOST = 65_536


def jensen_shannon(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Of two distributions over the same cells, each [K] and of sum 1: nats, in [0, log 2]."""
    m = (p + q) / 2
    return ((torch.xlogy(p, p / m.where(p > 0, 1)) + torch.xlogy(q, q / m.where(q > 0, 1))).sum() / 2).clamp(min=0)


def num_cells(deviation: float, dimensions: int) -> int:
    """Cells a side: one deviation wide on a line, two in the plane, where as many points have more to fill.

    There are 65,536 at most, which are then wider.
    """
    return max(1, min(math.ceil(1 / (dimensions * deviation)), int(_MOST ** (1 / dimensions))))


def masses(centres: torch.Tensor, deviation: float, cells: int) -> torch.Tensor:
    """Of an even mixture of round Gaussians around centres [K, D] in each of cells^D parts of the unit cube: [cells^D].

    Cells at the edge hold what lies beyond it.
    """
    edges = torch.linspace(0, 1, cells + 1, dtype=torch.float64)
    edges[0], edges[-1] = -math.inf, math.inf
    below = torch.special.ndtr((edges - centres.double()[..., None]) / deviation)  # [K, D, cells + 1]
    line = below.diff(dim=-1)
    joint = line[:, 0]
    for axis in range(1, centres.shape[1]):
        joint = (joint[:, :, None] * line[:, axis, None]).flatten(1)
    return joint.mean(0)


def shares(points: torch.Tensor, cells: int) -> torch.Tensor:
    """Of points [N, D] in the same cells: [cells^D]."""
    place = (points.double() * cells).long().clamp(0, cells - 1)
    index = place[:, 0]
    for axis in range(1, points.shape[1]):
        index = index * cells + place[:, axis]
    return torch.bincount(index, minlength=cells ** points.shape[1]).double() / len(points)
