"""Vector quantization by a codebook (van den Oord et al. 2017, "Neural Discrete Representation Learning").

Throughout: K codes of D numbers; vectors are [..., D].
"""

import torch
from torch.nn import functional as F


def nearest_codes(vectors: torch.Tensor, codebook: torch.Tensor) -> torch.Tensor:
    """Return the index of the code at the least Euclidean distance: [..., D] and [K, D] -> [...] int64."""
    distances = codebook.square().sum(1) - 2 * vectors @ codebook.T  # without the vector's norm, equal for all codes
    return distances.argmin(-1)


def straight_through(vectors: torch.Tensor, quantized: torch.Tensor) -> torch.Tensor:
    """Return the value of `quantized`, with a gradient that goes to `vectors` unchanged."""
    return vectors + (quantized - vectors).detach()


def commitment_loss(vectors: torch.Tensor, quantized: torch.Tensor) -> torch.Tensor:
    """Return squared distances to the codes, which get no gradient, summed within each row: [B, ..., D] -> [B]."""
    return (vectors - quantized.detach()).square().flatten(1).sum(1)


def code_sums(vectors: torch.Tensor, codes: torch.Tensor, num_codes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the number of vectors [N, D] with each code (codes [N]), and their sums: [K] and [K, D]."""
    chosen = F.one_hot(codes, num_codes).to(vectors.dtype)
    return chosen.sum(0), chosen.T @ vectors


def smoothed_means(counts: torch.Tensor, sums: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Return the codebook from averaged counts [K] and sums [K, D].

    Laplace smoothing keeps codes that are hardly used finite: (count + epsilon) / (total + K epsilon) is the fraction
    of the total that a code has.
    """
    total = counts.sum()
    return sums / ((counts + epsilon) / (total + len(counts) * epsilon) * total)[:, None]


def perplexity(frequencies: torch.Tensor) -> torch.Tensor:
    """Return exp(entropy) of frequencies [K] that sum to 1: the effective number of codes in use."""
    return torch.special.entr(frequencies).sum().exp()
