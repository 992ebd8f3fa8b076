"""Which modes of a mixture samples have found, and how evenly.

Paper: Lin et al. 2018, "PacGAN: The power of two samples in generative adversarial networks", section 4, with the
definitions of Srivastava et al. 2017 (VEEGAN).
"""

import torch

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
