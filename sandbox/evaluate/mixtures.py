"""How well a generator's points fit a mixture of Gaussians that is known; each figure beside that of real points."""

import torch

from sandbox.interfaces.dataset import Mixture
from sandbox.ops import sample_quality
from sandbox.ops.sample_quality import sliced_wasserstein, wasserstein

Result = dict[str, float | str | int]

_A_MODE = 10  # samples, on average: even of the real ones, fewer would miss some


def point_distances(mixture: Mixture, samples: torch.Tensor, test: torch.Tensor, train: torch.Tensor) -> Result:
    """As many samples, test points and training points, [N, D] each.

    Returns:
        `modes` and the rest of `found_modes`; `high_quality`, the share of samples within three standard deviations of
        their nearest centre; `js`, the Jensen-Shannon divergence from the known density, nats, and `js_floor`, that
        of the training points; on a line `w1`, the Wasserstein-1 distance of the samples to the test points, and
        `w1_floor`, that of the training points to them; in the plane `sliced_w1` and its `_floor`.
    """
    centres, deviation, n = mixture.centres(), mixture.spread(), len(samples)
    dimensions = centres.shape[1]
    ours, theirs = (sample_quality.nearest_mode(x, centres, deviation) for x in (samples, train))
    result = found_modes(sample_quality.counts(ours, len(centres)), sample_quality.counts(theirs, len(centres)), n)
    result |= {"high_quality": _share(ours >= 0), "high_quality_floor": _share(theirs >= 0)}
    cells = sample_quality.num_cells(deviation, dimensions)
    p = sample_quality.masses(centres, deviation, cells)
    for name, points in (("js", samples), ("js_floor", train)):
        result[name] = float(sample_quality.jensen_shannon(p, sample_quality.shares(points, cells)))
    if dimensions == 1:
        return result | {"w1": float(wasserstein(samples, test)), "w1_floor": float(wasserstein(train, test))}
    return result | {
        "sliced_w1": float(sliced_wasserstein(samples, test)),
        "sliced_w1_floor": float(sliced_wasserstein(train, test)),
    }


def found_modes(found: torch.Tensor, real: torch.Tensor, samples: int) -> Result:
    """Of how many samples fell to each mode, and of as many real ones, [K] each.

    Returns:
        `modes`, how many have at least one; `num_modes`, how many there are; `reverse_kl`, the KL of the shares to even
        ones, nats; `modes_floor` and `reverse_kl_floor`, of the real ones. With fewer than ten samples a mode
        `modes_missing`, and with samples of no mode at all `reverse_kl_missing`, say why.
    """
    result: Result = {"num_modes": len(found)}
    needed = _A_MODE * len(found)
    if samples < needed:
        return result | {
            "modes_missing": f"to count {len(found)} modes {needed} samples are needed, as many test ones and training "
            f"ones, but there are {samples}: add --images {needed}, or take data with more of them"
        }
    result |= {"modes": float((found > 0).sum()), "modes_floor": float((real > 0).sum())}
    for name, each in (("reverse_kl", found), ("reverse_kl_floor", real)):
        if each.any():
            result[name] = float(sample_quality.reverse_kl(each))
        else:
            result[f"{name}_missing"] = "no sample belongs to any mode"
    return result


def _share(true: torch.Tensor) -> float:
    return float(true.double().mean())
