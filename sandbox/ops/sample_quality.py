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
        difference, so up to the noise of the counts it is a lower bound. The noise adds about (number of cells with
        mass) / (8 N) nats, to real points too.
Deviations:
    The blocks of the kernel distance are disjoint, so that their means are independent and have an interval.
    One k = 5, Naeem et al.'s, serves precision, recall, density and coverage (Kynkäänniemi et al. take 3).
"""

import math
from dataclasses import dataclass

import torch

from sandbox.ops.statistics import half_interval

_NUM_BLOCKS, _MAX_BLOCK_SIZE = 10, 1_000  # of the kernel distance
MIN_KERNEL_SAMPLES = 2 * _NUM_BLOCKS  # smallest set for the kernel distance
NUM_NEIGHBORS = 5  # k of precision, recall, density and coverage
_ROWS = 500  # at a time: for 10,000 points a table of distances takes 40 MB
_MODE_RADIUS = 3.0  # standard deviations
_NUM_SLICES = 64  # of the sliced Wasserstein distance
_MAX_CELLS = 65_536  # of the Jensen-Shannon divergence

# Fréchet distance


def gaussian_moments(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean [F] and unbiased covariance [F, F] of features [N, F], both float64; N is at least 2."""
    x = features.double()
    mean = x.mean(0)
    x = x - mean
    return mean, x.mT @ x / (len(x) - 1)


def matrix_square_root(matrix: torch.Tensor) -> torch.Tensor:
    """Return the symmetric root of a symmetric matrix [F, F] without negative eigenvalues, of any rank."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors * values.clamp(min=0).sqrt() @ vectors.mT


def frechet_distance(one: tuple[torch.Tensor, torch.Tensor], other: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Return |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2) of two (mean, covariance): scalar, squared units."""
    (mean1, covariance1), (mean2, covariance2) = one, other
    root = matrix_square_root(covariance1)
    between = torch.linalg.eigvalsh(root @ covariance2 @ root).clamp(min=0).sqrt().sum()
    distance = (mean1 - mean2).square().sum() + covariance1.trace() + covariance2.trace() - 2 * between
    return distance.clamp(min=0)  # rounding leaves +-1e-13 of two equal Gaussians


# Kernel distance


def polynomial_kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return (x . y / F + 1)^3: [N, F] and [M, F] -> [N, M]."""
    return (x @ y.mT / x.shape[1] + 1) ** 3


def squared_mmd(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the unbiased squared maximum mean discrepancy of x [N, F] and y [M, F], a scalar that may be negative.

    N and M are at least 2.
    """
    n, m = len(x), len(y)
    kernel_x, kernel_y = polynomial_kernel(x, x), polynomial_kernel(y, y)
    within = (kernel_x.sum() - kernel_x.trace()) / (n * (n - 1)) + (kernel_y.sum() - kernel_y.trace()) / (m * (m - 1))
    return within - 2 * polynomial_kernel(x, y).mean()


def kernel_distance(x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """Return the mean of `squared_mmd` over disjoint blocks of two sets [N, F], and half its 95 % interval.

    There are ten blocks, or more where they would be larger than 1000. The sets are in random order; N is at least
    `MIN_KERNEL_SAMPLES`, 20.
    """
    count = max(_NUM_BLOCKS, math.ceil(len(x) / _MAX_BLOCK_SIZE))
    size = len(x) // count
    blocks_x, blocks_y = (torch.split(each.double()[: count * size], size) for each in (x, y))
    distances = torch.stack([squared_mmd(*pair) for pair in zip(blocks_x, blocks_y, strict=True)])
    return float(distances.mean()), half_interval(distances.cpu().numpy())


# Precision, recall, density and coverage


@dataclass(frozen=True)
class ManifoldOverlap:
    """The overlap of two sets of features: numbers in [0, 1], but density, which is 1 on average for real samples.

    Attributes:
        precision: Fraction of the fake samples within any real ball.
        recall: Fraction of the real samples within any fake ball.
        density: Number of real balls around a fake sample, over k.
        coverage: Fraction of the real balls with a fake sample in them.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def neighbor_radii(x: torch.Tensor, k: int = NUM_NEIGHBORS) -> torch.Tensor:
    """Return the squared distance of each of [N, F] to its k-th neighbor: [N]; N is at least k + 1."""
    nearest = [_squared_distances(rows, x).topk(k + 1, largest=False).values[:, -1] for rows in torch.split(x, _ROWS)]
    return torch.cat(nearest)  # k + 1, since the nearest of all is the point itself


def manifold_overlap(
    real: torch.Tensor, fake: torch.Tensor, real_radii: torch.Tensor, fake_radii: torch.Tensor, k: int = NUM_NEIGHBORS
) -> ManifoldOverlap:
    """Return the overlap of real [N, F] and fake [M, F] features in float64, given their `neighbor_radii`."""
    num_balls, num_recalled, num_covered = torch.zeros(len(fake), dtype=torch.int64), 0, 0
    for rows, radii in zip(torch.split(real, _ROWS), torch.split(real_radii, _ROWS), strict=True):
        distances = _squared_distances(rows, fake)
        within = distances <= radii[:, None]
        num_balls += within.sum(0)
        num_covered += int(within.any(1).sum())
        num_recalled += int((distances <= fake_radii).any(1).sum())
    return ManifoldOverlap(
        precision=int((num_balls > 0).sum()) / len(fake),
        recall=num_recalled / len(real),
        density=int(num_balls.sum()) / (k * len(fake)),
        coverage=num_covered / len(real),
    )


def _squared_distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return |x - y|^2: [N, F] and [M, F] -> [N, M]."""
    return (x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.mT).clamp_(min=0)


# Modes of a mixture of Gaussians


def nearest_mode(points: torch.Tensor, centers: torch.Tensor, deviation: float) -> torch.Tensor:
    """Return the nearest of the centers [K, D] to each point [N, D], or -1 beyond three standard deviations: [N].

    Points within are of high quality. For D = 2 these are 1 - exp(-4.5) = 98.9 % of the mixture, for D = 1 99.7 %.
    """
    exact = "donot_use_mm_for_euclid_dist"
    distances, modes = torch.cdist(points.double(), centers.double(), compute_mode=exact).min(1)
    return torch.where(distances <= _MODE_RADIUS * deviation, modes, -1)


def mode_counts(modes: torch.Tensor, num_modes: int) -> torch.Tensor:
    """Return the number of samples of each mode, [K] float64, of modes [N] (-1 is none)."""
    return torch.bincount(modes[modes >= 0], minlength=num_modes).double()


def mode_reverse_kl(counts: torch.Tensor) -> torch.Tensor:
    """Return the KL divergence of the modes' frequencies to uniform ones, nats up to log K: counts [K], not all 0."""
    p = counts / counts.sum()
    return torch.xlogy(p, p * len(p)).sum().clamp(min=0)


# Wasserstein distance


def wasserstein_1d(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the exact Wasserstein-1 distance on a line, along the first dimension: [N, ...] each -> [...].

    The optimal transport moves the smallest of x to the smallest of y, and so on.
    """
    return (x.double().sort(0).values - y.double().sort(0).values).abs().mean(0)


def sliced_wasserstein(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean of `wasserstein_1d` over 64 directions of the plane, evenly spaced: [N, 2] each -> scalar.

    It is a lower bound of the Wasserstein distance in the plane; for a shift by d it is 2 / pi d.
    """
    angles = torch.arange(_NUM_SLICES, dtype=torch.float64) * (math.pi / _NUM_SLICES)
    directions = torch.stack([angles.cos(), angles.sin()])
    return wasserstein_1d(x.double() @ directions, y.double() @ directions).mean()


# Jensen-Shannon divergence, of frequencies in the cells of a grid on the unit cube


def jensen_shannon(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Return the divergence of two distributions over the same cells, [K] each of sum 1: nats, in [0, log 2]."""
    m = (p + q) / 2
    return ((torch.xlogy(p, p / m.where(p > 0, 1)) + torch.xlogy(q, q / m.where(q > 0, 1))).sum() / 2).clamp(min=0)


def cells_per_side(deviation: float, dimensions: int) -> int:
    """Return the number of cells a side: one deviation wide on a line, two in the plane, which has more cells to fill.

    Cells are wider where there would be more than 65,536 of them.
    """
    return max(1, min(math.ceil(1 / (dimensions * deviation)), int(_MAX_CELLS ** (1 / dimensions))))


def cell_masses(centers: torch.Tensor, deviation: float, cells: int) -> torch.Tensor:
    """Return the mass of a uniform mixture of round Gaussians around centers [K, D] in each cell: [cells^D].

    Cells at the edge include the mass beyond it.
    """
    edges = torch.linspace(0, 1, cells + 1, dtype=torch.float64)
    edges[0], edges[-1] = -math.inf, math.inf
    cumulative = torch.special.ndtr((edges - centers.double()[..., None]) / deviation)  # [K, D, cells + 1]
    line = cumulative.diff(dim=-1)
    joint = line[:, 0]
    for axis in range(1, centers.shape[1]):
        joint = (joint[:, :, None] * line[:, axis, None]).flatten(1)
    return joint.mean(0)


def cell_frequencies(points: torch.Tensor, cells: int) -> torch.Tensor:
    """Return the fraction of points [N, D] in each cell: [cells^D]."""
    place = (points.double() * cells).long().clamp(0, cells - 1)
    index = place[:, 0]
    for axis in range(1, points.shape[1]):
        index = index * cells + place[:, axis]
    return torch.bincount(index, minlength=cells ** points.shape[1]).double() / len(points)
