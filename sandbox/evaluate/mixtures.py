"""Distances between generated points and a known mixture of Gaussians.

The floor of a metric is its value for training points in place of samples.
"""

import torch

from sandbox.evaluate.figures import Result
from sandbox.interfaces.dataset import Mixture
from sandbox.ops import sample_quality
from sandbox.ops.sample_quality import sliced_wasserstein, wasserstein_1d

_SAMPLES_PER_MODE = 10  # with fewer on average, even real points would miss a mode now and then


def point_distances(mixture: Mixture, samples: torch.Tensor, test: torch.Tensor, train: torch.Tensor) -> Result:
    """Compare samples with the mixture and with test points, and training points likewise for the floors.

    Args:
        mixture: The density that the data were sampled from.
        samples: Generated points [N, D].
        test: As many test points.
        train: As many training points.

    Returns:
        A dict of metrics, each with its `_floor`.

        * `modes` and the other results of `mode_coverage`.
        * `high_quality`: fraction of samples within three standard deviations of the nearest center.
        * `js`: Jensen-Shannon divergence from the known density, nats.
        * On a line `w1`: Wasserstein-1 distance to the test points. In the plane `sliced_w1`: its sliced form.
    """
    centers = mixture.centers()
    deviation = mixture.spread()
    num_modes, dimensions = centers.shape
    sampled = sample_quality.nearest_mode(samples, centers, deviation)
    real = sample_quality.nearest_mode(train, centers, deviation)
    result = mode_coverage(
        sample_quality.mode_counts(sampled, num_modes), sample_quality.mode_counts(real, num_modes), len(samples)
    )
    result |= {"high_quality": _fraction(sampled >= 0), "high_quality_floor": _fraction(real >= 0)}
    cells = sample_quality.cells_per_side(deviation, dimensions)
    p = sample_quality.cell_masses(centers, deviation, cells)
    for name, points in (("js", samples), ("js_floor", train)):
        result[name] = float(sample_quality.jensen_shannon(p, sample_quality.cell_frequencies(points, cells)))
    if dimensions == 1:
        return result | {"w1": float(wasserstein_1d(samples, test)), "w1_floor": float(wasserstein_1d(train, test))}
    return result | {
        "sliced_w1": float(sliced_wasserstein(samples, test)),
        "sliced_w1_floor": float(sliced_wasserstein(train, test)),
    }


def mode_coverage(sampled: torch.Tensor, real: torch.Tensor, samples: int) -> Result:
    """Count the modes that the samples cover.

    Args:
        sampled: Number of samples in each mode, [K].
        real: Number of real examples in each mode, out of as many, [K].
        samples: Number of samples in all.

    Returns:
        A dict with these entries.

        * `modes`: number of modes with at least one sample; `num_modes`: number of modes K.
        * `reverse_kl`: KL divergence of the modes' frequencies from the uniform distribution, nats;
          `reverse_kl_missing`, a message, if no sample belongs to any mode.
        * `modes_floor`, `reverse_kl_floor`: the same for the real examples.
        * `modes_missing`, a message, in place of all but `num_modes` if there are fewer than ten samples per mode.
    """
    result: Result = {"num_modes": len(sampled)}
    needed = _SAMPLES_PER_MODE * len(sampled)
    if samples < needed:
        return result | {
            "modes_missing": f"to count {len(sampled)} modes {needed} samples are needed, as many test and training "
            f"examples, but there are {samples}: add --images {needed}, or use a larger data set"
        }
    result |= {"modes": float((sampled > 0).sum()), "modes_floor": float((real > 0).sum())}
    for name, counts in (("reverse_kl", sampled), ("reverse_kl_floor", real)):
        if counts.any():
            result[name] = float(sample_quality.mode_reverse_kl(counts))
        else:
            result[f"{name}_missing"] = "no sample belongs to any mode"
    return result


def _fraction(mask: torch.Tensor) -> float:
    return float(mask.double().mean())
