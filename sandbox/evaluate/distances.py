"""How alike a generator's images are to real ones, on a classifier's features; each figure beside real against real."""

import torch

from sandbox.evaluate.feature_classifier import FeatureExtractor
from sandbox.evaluate.mixtures import Result, found_modes
from sandbox.ops import sample_quality
from sandbox.ops.sample_quality import MIN_SIZE, NEIGHBOURS, frechet_distance, gaussian, kernel_distance, overlap, radii


def image_distances(judge: FeatureExtractor, samples: torch.Tensor, test: torch.Tensor, train: torch.Tensor) -> Result:
    """As many samples, test images and training images, [N, C, H, W] each.

    Returns:
        `fcd`, the Fréchet classifier distance of the samples to the test images; `fcd_floor`, that of the training
        images to them; `fcd_in_floors`, their ratio (with more images the floor falls, and the ratio grows); `kid`,
        half its 95 % interval `_ci95`, and its `_floor`; `precision`, `recall`, `density`, `coverage`, each with its
        `_floor`; of data whose kinds of images are there to be counted, `modes` and the rest of `found_modes`. What
        needs more samples than there are is `_missing`, with how many it needs.
    """
    real, fake, other = (judge.features(images).double() for images in (test, samples, train))
    n = len(real)
    result: Result = {}
    if n > judge.num_features:
        distance, floor = (float(frechet_distance(gaussian(x), gaussian(real))) for x in (fake, other))
        result |= {"fcd": distance, "fcd_floor": floor, "fcd_in_floors": distance / max(floor, 1e-12)}
    else:
        result["fcd_missing"] = f"a Gaussian of {judge.num_features} features {_needs(judge.num_features + 1, n)}"
    if n >= MIN_SIZE:
        (kid, ci95), (floor, _) = kernel_distance(fake, real), kernel_distance(other, real)
        result |= {"kid": kid, "kid_ci95": ci95, "kid_floor": floor}
    else:
        result["kid_missing"] = f"the mean of ten blocks {_needs(MIN_SIZE, n)}"
    if n > NEIGHBOURS:
        result |= _overlaps(real, fake, other)
    else:
        result["precision_missing"] = f"a ball to the neighbour number {NEIGHBOURS} {_needs(NEIGHBOURS + 1, n)}"
    if judge.num_modes:
        found, others = (sample_quality.counts(judge.classify(images), judge.num_modes) for images in (samples, train))
        result |= found_modes(found, others, n)
    return result


def _overlaps(real: torch.Tensor, fake: torch.Tensor, other: torch.Tensor) -> Result:
    around = radii(real)
    ours, floor = (overlap(real, x, around, radii(x)) for x in (fake, other))
    return {
        "precision": ours.precision,
        "precision_floor": floor.precision,
        "recall": ours.recall,
        "recall_floor": floor.recall,
        "density": ours.density,
        "density_floor": floor.density,
        "coverage": ours.coverage,
        "coverage_floor": floor.coverage,
    }


def _needs(needed: int, there: int) -> str:
    return (
        f"needs {needed} test images, as many training images and samples, but there are {there}: "
        f"add --images {needed}, or take data with more of them"
    )
