"""What a generator is worth on images it has not seen. Likelihoods are nats an image."""

from typing import Protocol, runtime_checkable

import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.evaluate.clusters import class_accuracy, code_accuracy
from sandbox.evaluate.confusion import confusion
from sandbox.evaluate.distances import image_distances
from sandbox.evaluate.feature_classifier import FeatureExtractor
from sandbox.evaluate.mixtures import Result, point_distances
from sandbox.evaluate.translations import translated
from sandbox.interfaces.dataset import DataSet, Mixture
from sandbox.interfaces.generator import (
    Classifier,
    Clusters,
    Conditional,
    Generator,
    Likelihood,
    Reconstructs,
    Translates,
)
from sandbox.networks.inputs import as_float
from sandbox.ops import likelihood
from sandbox.ops.statistics import half_interval

IMAGES = 300  # of the test set and of the samples, unless more are asked for; likelihoods are dear
_SAMPLES = 1_000  # at most, where no more are compared; each may take hundreds of sweeps
_BATCH, _DRAWN = 100, 500  # images, or samples, at a time
_GREY = (
    "the likelihood is one of black and white, which means nothing on these data; "
    "images become so with data.binarize=threshold, or sample, in training, too"
)


@runtime_checkable
class Bounded(Protocol):
    """A generator with a lower bound on its log-likelihood."""

    def bound(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The ELBO and its KL, nats, [B] each."""


@runtime_checkable
class PseudoLikelihood(Protocol):
    """A generator that knows each pixel's probability given all others."""

    def pseudo_log_likelihood(self, images: torch.Tensor) -> torch.Tensor:
        """sum_i log p(x_i | the rest of x), nats, [B]."""


def evaluate_generator(
    generator: Generator,
    data: DataSet,
    rng: Rng,
    images: int = IMAGES,
    judge: FeatureExtractor | None = None,
    mixture: Mixture | None = None,
) -> Result:
    """Whatever the generator can be asked for, on up to `images` test images (chosen by `rng`'s seed, always the same).

    Where the data are black and white, what is compared by `judge` is drawn from the samples' probabilities.

    Returns:
        `images`: how many; of images, not of points, `mean_pixel_distance`: mean absolute difference of the samples'
        and the test set's mean image, and `mean_pixel_distance_floor`, that of the training set's; `diversity`: mean
        distance of two samples over that of two test images; with `reconstruct`: `reconstruction_error`, the mean
        squared error a pixel; with `log_likelihood`: its mean, `_ci95` (half the interval), `_kind`, `_low` and `_high`
        where the estimate has a bracket, `factorised_log_likelihood` (the best independent pixels) and `margin_nats`
        above it (a density is called `log_density` and is above nothing), or `log_likelihood_missing`, the reason, as
        on grey images; with `pseudo_log_likelihood`: its mean, or `_missing`, the reason; with `bound`: `elbo`, `kl`;
        with `classify`, where the test images have labels: `error`, the share of wrong ones, and its `_ci95`, or
        `error_missing`, the reason; with `cluster`, there, too: `code_accuracy`; with `sample_of` and a `judge`:
        `class_accuracy`, both as `clusters.py` says; with `translate`: what `translations.translated` returns; with a
        `judge` of images, what `image_distances` says, and of points around a known `mixture`, what `point_distances`
        says, of as many samples as test and training images.
    """
    chooser = torch.Generator().manual_seed(rng.integer("evaluate/images"))
    chosen = torch.randperm(len(data.test), generator=chooser)[:images]
    test = data.test[chosen]
    compared = 0 if judge is None and mixture is None else min(len(test), len(data.train))
    samples = _drawn(generator, max(compared, min(len(test), _SAMPLES)))
    result = _samples(samples[:_SAMPLES], data, as_float(test)) | {"images": len(test)}
    if compared:
        others = torch.randperm(len(data.train), generator=chooser)[:compared]
        samples, real, floor = samples[:compared], test[:compared], data.train[others]
        if judge is not None:
            shown = _black_and_white(samples, rng) if data.binary else samples
            result |= image_distances(judge, shown, real, floor)
        if mixture is not None:
            result |= point_distances(mixture, samples, real, floor)
    if isinstance(generator, Reconstructs):
        errors = [
            (as_float(x) - generator.reconstruct(x).cpu()).square().flatten(1).mean(1)
            for x in torch.split(test, _BATCH)
        ]
        result["reconstruction_error"] = _mean(torch.cat(errors))
    if isinstance(generator, Likelihood):
        result |= _likelihood(generator, data, test) if data.binary else {"log_likelihood_missing": _GREY}
    if data.binary and isinstance(generator, PseudoLikelihood):
        result |= _pseudo_likelihood(generator, test)
    if data.test_labels is not None and isinstance(generator, Classifier):
        result |= _errors(generator, test, data.test_labels[chosen])
    if isinstance(generator, Translates):
        result |= translated(generator, data, chosen, rng)
    if data.test_labels is not None and data.train_labels is not None and isinstance(generator, Clusters):
        result |= code_accuracy(generator, data, test, data.test_labels[chosen])
    if judge is not None and data.train_labels is not None and isinstance(generator, Conditional):
        result |= class_accuracy(generator, data, judge.classify, len(test))
    if data.binary and isinstance(generator, Bounded):
        bounds = [generator.bound(x) for x in torch.split(test, _BATCH)]
        result["elbo"] = _mean(torch.cat([elbo for elbo, _ in bounds]))
        result["kl"] = _mean(torch.cat([kl for _, kl in bounds]))
    return result


def _drawn(generator: Generator, count: int) -> torch.Tensor:
    sizes = [min(_DRAWN, count - begun) for begun in range(0, count, _DRAWN)]
    return torch.cat([generator.sample(size).cpu().float() for size in sizes])


def _black_and_white(samples: torch.Tensor, rng: Rng) -> torch.Tensor:
    """Samples are probabilities, and black and white images would be told from them by that alone."""
    pixels = torch.Generator().manual_seed(rng.integer("evaluate/pixels"))
    return torch.bernoulli(samples.clamp(0, 1), generator=pixels)


def _samples(samples: torch.Tensor, data: DataSet, test: torch.Tensor) -> Result:
    result: Result = {}
    if len(data.spec.shape) == 3:  # points have no pixels
        result["mean_pixel_distance"] = _mean((samples.mean(0) - test.mean(0)).abs())
        result["mean_pixel_distance_floor"] = _mean((data.mean() - test.mean(0)).abs())
    return result | {"diversity": _spread(samples) / max(_spread(test), 1e-12)}


def _likelihood(generator: Likelihood, data: DataSet, test: torch.Tensor) -> Result:
    try:
        estimate = generator.log_likelihood(test)
    except UserError as impossible:  # too large to enumerate: the other figures still stand
        return {"log_likelihood_missing": str(impossible)}
    nats = estimate.nats.cpu()
    name = "log_density" if estimate.density else "log_likelihood"
    result: Result = {
        name: _mean(nats),
        f"{name}_ci95": half_interval(nats.double().numpy()),
        f"{name}_kind": estimate.kind,
    }
    if estimate.low is not None and estimate.high is not None:
        result |= {f"{name}_low": _mean(nats) - estimate.low, f"{name}_high": _mean(nats) + estimate.high}
    if estimate.density:
        return result
    baseline = likelihood.bernoulli_log_prob(
        likelihood.factorised_bernoulli(data.mean(), len(data.train)), as_float(test)
    )
    return result | {"factorised_log_likelihood": _mean(baseline), "margin_nats": _mean(nats) - _mean(baseline)}


def _pseudo_likelihood(generator: PseudoLikelihood, test: torch.Tensor) -> Result:
    try:
        return {"pseudo_log_likelihood": _mean(generator.pseudo_log_likelihood(test))}
    except UserError as impossible:  # not of these pixels
        return {"pseudo_log_likelihood_missing": str(impossible)}


def _errors(classifier: Classifier, test: torch.Tensor, labels: torch.Tensor) -> Result:
    try:
        found = confusion(classifier, test, labels)
    except UserError as impossible:  # it has not come to the classes yet
        return {"error_missing": str(impossible)}
    return {"error": found.error, "error_ci95": found.error_ci95}


def _mean(x: torch.Tensor) -> float:
    return float(x.double().mean())


def _spread(images: torch.Tensor) -> float:
    """Mean Euclidean distance of each image to the next: as good as all pairs, where the order is random."""
    return _mean(torch.linalg.vector_norm((images - images.roll(1, 0)).flatten(1), dim=1))
