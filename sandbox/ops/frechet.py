"""The Fréchet distance of two Gaussians, in closed form, from features of two sets of images.

Paper: Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions"; Heusel et al. 2017, "GANs
Trained by a Two Time-Scale Update Rule", measure generators by it, on the features of one particular network. On those
of another classifier it is another figure, with another name: the Fréchet classifier distance.
"""

import torch


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
