"""Vectors replaced by the nearest of a codebook (van den Oord et al. 2017, "Neural Discrete Representation Learning").

Throughout: K codes of D numbers; vectors are [..., D].
"""

import torch
from torch.nn import functional as F


def nearest(vectors: torch.Tensor, codebook: torch.Tensor) -> torch.Tensor:
    """The index of the code at the least Euclidean distance: [..., D], [K, D] -> [...] int64."""
    distances = codebook.square().sum(1) - 2 * vectors @ codebook.T  # and the vector's own norm, the same for all codes
    return distances.argmin(-1)


def straight_through(vectors: torch.Tensor, quantised: torch.Tensor) -> torch.Tensor:
    """The value of `quantised`; its gradient goes to `vectors` as if nothing had been replaced."""
    return vectors + (quantised - vectors).detach()


def commitment_loss(vectors: torch.Tensor, quantised: torch.Tensor) -> torch.Tensor:
    """Squared distances to the codes, which get no gradient, summed over all but the batch: [B, ..., D] -> [B]."""
    return (vectors - quantised.detach()).square().flatten(1).sum(1)


def code_sums(vectors: torch.Tensor, codes: torch.Tensor, num_codes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """How many vectors [N, D] have each code (codes [N]), and their sums: [K], [K, D]."""
    chosen = F.one_hot(codes, num_codes).to(vectors.dtype)
    return chosen.sum(0), chosen.T @ vectors


def smoothed_means(counts: torch.Tensor, sums: torch.Tensor, epsilon: float) -> torch.Tensor:
    """The codebook from averaged counts [K] and sums [K, D]; Laplace smoothing keeps codes that are hardly used finite.

    (count + epsilon) / (total + K epsilon) is the share of a code, of the total.
    """
    total = counts.sum()
    return sums / ((counts + epsilon) / (total + len(counts) * epsilon) * total)[:, None]


def perplexity(frequencies: torch.Tensor) -> torch.Tensor:
    """exp(entropy) of frequencies [K] that sum to 1: how many codes are in use, were they used alike."""
    return torch.special.entr(frequencies).sum().exp()
