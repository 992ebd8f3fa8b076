"""Distances between generated and real images in the feature space of a classifier, each with its floor.

The floor of a metric is its value for training images in place of samples: no generator can be expected to be closer to
the test images than other real images are.
"""

import torch

from sandbox.evaluate.feature_extractor import FeatureExtractor
from sandbox.evaluate.figures import Result, attempt, missing
from sandbox.evaluate.mixtures import mode_coverage
from sandbox.ops import sample_quality
from sandbox.ops.sample_quality import (
    MIN_KERNEL_SAMPLES,
    NUM_NEIGHBORS,
    frechet_distance,
    gaussian_moments,
    kernel_distance,
    manifold_overlap,
    neighbor_radii,
)

_NO_FEATURES = (
    "the classifier's features are not finite: the images of the data are all the same, or a sample is damaged"
)


def image_distances(
    extractor: FeatureExtractor, samples: torch.Tensor, test: torch.Tensor, train: torch.Tensor
) -> Result:
    """Compare samples with test images, and training images with test images for the floors.

    Args:
        extractor: The model whose features are compared.
        samples: Generated images [N, C, H, W].
        test: As many test images.
        train: As many training images.

    Returns:
        A dict of metrics. A metric that needs more images than there are is replaced by `<metric>_missing`, a message.

        * `fcd`: Fréchet classifier distance; `fcd_floor`; `fcd_in_floors`, their ratio, which grows with the number of
          images because the floor falls.
        * `kid`: kernel distance; `kid_ci95`, half its 95 % confidence interval; `kid_floor`.
        * `precision`, `recall`, `density`, `coverage`, and the `_floor` of each.
        * If the extractor counts modes: `modes` and the other results of `mode_coverage`.
    """
    real = extractor.features(test).double()
    fake = extractor.features(samples).double()
    other = extractor.features(train).double()  # other real images, for the floors
    n = len(real)
    if not all(bool(x.isfinite().all()) for x in (real, fake, other)):
        return missing(_NO_FEATURES, "fcd", "kid", "precision")
    result: Result = {}
    if n > extractor.num_features:
        result |= attempt(lambda: _frechet(real, fake, other), "fcd")
    else:
        needed = extractor.num_features + 1
        result["fcd_missing"] = f"a Gaussian of {extractor.num_features} features {_needs(needed, n)}"
    if n >= MIN_KERNEL_SAMPLES:
        result |= attempt(lambda: _kernel(real, fake, other), "kid")
    else:
        result["kid_missing"] = f"the mean of ten blocks {_needs(MIN_KERNEL_SAMPLES, n)}"
    if n > NUM_NEIGHBORS:
        result |= attempt(lambda: _overlaps(real, fake, other), "precision")
    else:
        result["precision_missing"] = f"a ball that reaches to neighbor {NUM_NEIGHBORS} {_needs(NUM_NEIGHBORS + 1, n)}"
    if extractor.num_modes:
        sampled = sample_quality.mode_counts(extractor.classify(samples), extractor.num_modes)
        real_modes = sample_quality.mode_counts(extractor.classify(train), extractor.num_modes)
        result |= mode_coverage(sampled, real_modes, n)
    return result


def _frechet(real: torch.Tensor, fake: torch.Tensor, other: torch.Tensor) -> Result:
    """Return the Fréchet distance of `fake` to `real`, and as its floor that of `other`; all [N, F]."""
    distance = float(frechet_distance(gaussian_moments(fake), gaussian_moments(real)))
    floor = float(frechet_distance(gaussian_moments(other), gaussian_moments(real)))
    return {"fcd": distance, "fcd_floor": floor, "fcd_in_floors": distance / max(floor, 1e-12)}


def _kernel(real: torch.Tensor, fake: torch.Tensor, other: torch.Tensor) -> Result:
    """Return the kernel distance of `fake` to `real`, and as its floor that of `other`; all [N, F]."""
    kid, ci95 = kernel_distance(fake, real)
    floor, _ = kernel_distance(other, real)
    return {"kid": kid, "kid_ci95": ci95, "kid_floor": floor}


def _overlaps(real: torch.Tensor, fake: torch.Tensor, other: torch.Tensor) -> Result:
    """Return precision, recall, density and coverage of `fake`, and as their floors those of `other`; all [N, F]."""
    real_radii = neighbor_radii(real)
    ours = manifold_overlap(real, fake, real_radii, neighbor_radii(fake))
    floor = manifold_overlap(real, other, real_radii, neighbor_radii(other))
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


def _needs(needed: int, available: int) -> str:
    return (
        f"needs {needed} test images, as many training images and samples, but there are {available}: "
        f"add --images {needed} if the data set has more, or train with more test images"
    )
