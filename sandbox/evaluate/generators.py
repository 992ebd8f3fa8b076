"""Evaluation of a generator on test data. Likelihoods are in nats per image."""

import torch

from sandbox.core.progress import progress
from sandbox.core.rng import Rng
from sandbox.evaluate.clusters import class_accuracy, code_accuracy
from sandbox.evaluate.confusion import confusion
from sandbox.evaluate.distances import image_distances
from sandbox.evaluate.feature_extractor import FeatureExtractor
from sandbox.evaluate.figures import Result, attempt, finite, interval, missing
from sandbox.evaluate.mixtures import point_distances
from sandbox.evaluate.translations import evaluate_translation
from sandbox.interfaces.capabilities import (
    ClassConditional,
    HasBound,
    HasClassifier,
    HasClusters,
    HasLikelihood,
    HasPseudoLikelihood,
    HasReconstruction,
    HasTranslation,
)
from sandbox.interfaces.dataset import DataSet, Mixture
from sandbox.interfaces.generator import Generator
from sandbox.networks.inputs import as_float
from sandbox.ops import likelihood

IMAGES = 300  # test images, and samples to compare with them, unless more are requested: likelihoods are expensive
_MAX_SAMPLES = 1_000  # for statistics of samples alone; a sample may take hundreds of Gibbs sweeps
_BATCH_SIZE, _SAMPLE_BATCH_SIZE = 100, 500
_BAD_SAMPLES = "the samples are not finite numbers: the model is damaged, or its training has diverged"
_DENSITY_IMAGES = 10_000  # at most so many training images make the density of independent pixels
_GRAYSCALE = (
    "the model has a likelihood of binary images only, and these are grayscale; "
    "train on binary ones with data.binarize=threshold or sample"
)


def evaluate_generator(
    generator: Generator,
    data: DataSet,
    rng: Rng,
    images: int = IMAGES,
    extractor: FeatureExtractor | None = None,
    mixture: Mixture | None = None,
) -> Result:
    """Measure everything that the generator's capabilities allow, on a random choice of test images.

    Args:
        generator: The generator.
        data: The data set that it was trained on.
        rng: Random streams; the same seed chooses the same test images.
        images: Maximum number of test images.
        extractor: The model whose features compare samples with real images; None skips that comparison. For binary
            data, binary samples are drawn from the pixels' probabilities first.
        mixture: The known density of the data; None if there is none.

    Returns:
        A dict of metrics. A metric that cannot be computed is replaced by `<metric>_missing`, a message.

        * Always: `images`, the number of test images; `diversity`, the mean distance of two samples divided by that of
          two test images.
        * For images: `mean_pixel_distance`, the mean absolute difference between the samples' mean image and that of
          the test images; `mean_pixel_distance_floor`, the same for the training set.
        * HasReconstruction: `reconstruction_error`, the mean squared error per pixel.
        * HasLikelihood, for binary data or densities: `log_likelihood`, its mean; `log_likelihood_ci95`, half its 95 %
          confidence interval; `log_likelihood_kind`; `log_likelihood_low` and `log_likelihood_high`, its bounds if any;
          `factorized_log_likelihood`, that of independent pixels; `margin_nats`, the difference of the two. A density
          is called `log_density`; for gray images its baseline is `factorized_log_density`, that of independent pixels
          of one variance, and the difference is `density_margin_nats`.
        * HasPseudoLikelihood, for binary data: `pseudo_log_likelihood`, its mean.
        * HasBound, for binary data: `elbo` and `kl`.
        * HasClassifier, with labels: `error`, the fraction of misclassified test images, and `error_ci95`.
        * HasClusters, with labels: see `code_accuracy`.
        * ClassConditional, with labels and an extractor: see `class_accuracy`.
        * HasTranslation: see `evaluate_translation`.
        * With an extractor: see `image_distances`. With a mixture: see `point_distances`.
    """
    chooser = torch.Generator().manual_seed(rng.integer("evaluate/images"))
    rows = torch.randperm(len(data.test), generator=chooser)[:images]
    test = data.test[rows]
    num_compared = 0 if extractor is None and mixture is None else min(len(test), len(data.train))
    progress.now("evaluating: samples")
    samples = _sample(generator, max(num_compared, min(len(test), _MAX_SAMPLES)))
    result = _sample_statistics(samples[:_MAX_SAMPLES], data, as_float(test)) | {"images": len(test)}
    if num_compared and not bool(samples.isfinite().all()):
        result |= missing(_BAD_SAMPLES, *(["fcd", "kid", "precision"] if extractor else ["modes"]))
    elif num_compared:
        train = data.train[torch.randperm(len(data.train), generator=chooser)[:num_compared]]
        test_part, samples = test[:num_compared], samples[:num_compared]
        if extractor is not None:
            images_like_data = _binary(samples, rng) if data.binary else samples
            result |= image_distances(extractor, images_like_data, test_part, train)
        if mixture is not None:
            result |= point_distances(mixture, samples, test_part, train)
    progress.now("evaluating: reconstructions and likelihoods")
    if isinstance(generator, HasReconstruction):
        result["reconstruction_error"] = reconstruction_error(generator, test)
    if isinstance(generator, HasLikelihood):
        result |= attempt(lambda: _likelihood(generator, data, test), "log_likelihood")
    if data.binary and isinstance(generator, HasPseudoLikelihood):
        result |= attempt(lambda: _pseudo_likelihood(generator, test), "pseudo_log_likelihood")
    if data.test_labels is not None and isinstance(generator, HasClassifier):
        labels = data.test_labels[rows]
        result |= attempt(lambda: _classification_error(generator, test, labels), "error")
    if isinstance(generator, HasTranslation):
        result |= evaluate_translation(generator, data, rows, rng)
    if data.test_labels is not None and data.train_labels is not None and isinstance(generator, HasClusters):
        result |= code_accuracy(generator, data, test, data.test_labels[rows])
    if extractor is not None and data.train_labels is not None and isinstance(generator, ClassConditional):
        classify = extractor.classify
        result |= attempt(lambda: class_accuracy(generator, data, classify, len(test)), "class_accuracy")
    if data.binary and isinstance(generator, HasBound):
        result |= _bound(generator, test)
    return finite(result)


def _sample(generator: Generator, count: int) -> torch.Tensor:
    """Sample in batches: float32 [count, ...] on the CPU."""
    sizes = [min(_SAMPLE_BATCH_SIZE, count - start) for start in range(0, count, _SAMPLE_BATCH_SIZE)]
    return torch.cat([generator.sample(size).cpu().float() for size in sizes])


def _binary(samples: torch.Tensor, rng: Rng) -> torch.Tensor:
    """Draw binary pixels from their probabilities; otherwise gray levels alone would tell samples from real images."""
    pixels = torch.Generator().manual_seed(rng.integer("evaluate/pixels"))
    return torch.bernoulli(samples.clamp(0, 1), generator=pixels)


def _sample_statistics(samples: torch.Tensor, data: DataSet, test: torch.Tensor) -> Result:
    result: Result = {}
    if len(data.spec.shape) == 3:  # images, not points
        result["mean_pixel_distance"] = _mean((samples.mean(0) - test.mean(0)).abs())
        result["mean_pixel_distance_floor"] = _mean((data.mean() - test.mean(0)).abs())
    return result | _diversity(samples, test)


def _diversity(samples: torch.Tensor, test: torch.Tensor) -> Result:
    """Return the mean distance of two samples divided by that of two test images."""
    if len(test) < 2:
        return missing("it is relative to the distance of two test images, and there is only one", "diversity")
    if not (real := _mean_distance(test)):
        return missing("it is relative to the distance of two test images, and they are all the same", "diversity")
    return {"diversity": _mean_distance(samples) / max(real, 1e-12)}


def reconstruction_error(generator: HasReconstruction, test: torch.Tensor) -> float:
    """Return the mean squared error per pixel of reconstructed images [N, C, H, W]."""
    errors = []
    for x in torch.split(test, _BATCH_SIZE):
        errors.append((as_float(x) - generator.reconstruct(x).cpu()).square().flatten(1).mean(1))
    return _mean(torch.cat(errors))


def _likelihood(generator: HasLikelihood, data: DataSet, test: torch.Tensor) -> Result:
    if not data.binary and not generator.is_density():
        return missing(_GRAYSCALE, "log_likelihood")
    estimate = generator.log_likelihood(test)
    nats = estimate.nats.cpu()
    name = "log_density" if estimate.density else "log_likelihood"
    result: Result = {name: _mean(nats), **interval(name, nats.double().numpy()), f"{name}_kind": estimate.kind}
    if estimate.low is not None and estimate.high is not None:
        result |= {f"{name}_low": _mean(nats) - estimate.low, f"{name}_high": _mean(nats) + estimate.high}
    if estimate.density and data.binary:  # such a density has no bound, so that it has no baseline either
        return result
    if estimate.density:
        independent = _independent_density(data.train[:_DENSITY_IMAGES], test)
        return result | {"factorized_log_density": independent, "density_margin_nats": _mean(nats) - independent}
    baseline = likelihood.bernoulli_log_prob(
        likelihood.factorized_bernoulli_logits(data.mean(), len(data.train)), as_float(test)
    )
    return result | {"factorized_log_likelihood": _mean(baseline), "margin_nats": _mean(nats) - _mean(baseline)}


def _independent_density(train: torch.Tensor, test: torch.Tensor) -> float:
    """Return the mean log-density of test images under independent Gaussian pixels of one variance."""
    pixels = as_float(train).flatten(1)
    mean = pixels.mean(0)
    log_variance = (pixels - mean).square().mean().clamp(min=1e-8).log()
    return _mean(likelihood.gaussian_log_prob(as_float(test).flatten(1), mean, log_variance))


def _pseudo_likelihood(generator: HasPseudoLikelihood, test: torch.Tensor) -> Result:
    return {"pseudo_log_likelihood": _mean(generator.pseudo_log_likelihood(test))}


def _classification_error(classifier: HasClassifier, test: torch.Tensor, labels: torch.Tensor) -> Result:
    found = confusion(classifier, test, labels)
    return {"error": found.error, "error_ci95": found.error_ci95}


def _bound(generator: HasBound, test: torch.Tensor) -> Result:
    bounds = [generator.bound(x) for x in torch.split(test, _BATCH_SIZE)]
    return {"elbo": _mean(torch.cat([elbo for elbo, _ in bounds])), "kl": _mean(torch.cat([kl for _, kl in bounds]))}


def _mean(x: torch.Tensor) -> float:
    return float(x.double().mean())


def _mean_distance(images: torch.Tensor) -> float:
    """Return the mean Euclidean distance of consecutive images: as good as all pairs if their order is random."""
    return _mean(torch.linalg.vector_norm((images - images.roll(1, 0)).flatten(1), dim=1))
