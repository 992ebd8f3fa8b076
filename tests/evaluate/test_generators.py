"""Evaluation of generators whose results are known."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.evaluate.generators import evaluate_generator
from sandbox.interfaces.capabilities import (
    Estimate,
    HasBound,
    HasClassifier,
    HasLikelihood,
    HasPseudoLikelihood,
    HasReconstruction,
)
from sandbox.interfaces.dataset import DataSet
from sandbox.networks.inputs import as_float
from sandbox.ops import likelihood


def images(count: int, seed: int) -> torch.Tensor:
    return (torch.rand(count, 1, 4, 4, generator=torch.Generator().manual_seed(seed)) < 0.3).to(torch.uint8) * 255


DATA = DataSet(images(400, 0), images(250, 1), binary=True)


class Samples:
    """A generator whose samples are the training images."""

    def update(self, batch: Any) -> dict[str, float]:
        return {"loss": 0.0}

    def parts(self) -> dict[str, Any]:
        return {}

    def sample(self, count: int) -> torch.Tensor:
        return DATA.train[:count].float() / 255


class Everything(Samples, HasLikelihood, HasPseudoLikelihood, HasClassifier, HasReconstruction, HasBound):
    """A generator that is one nat better than independent pixels, and reconstructs every pixel as 1/2."""

    def log_likelihood(self, x: torch.Tensor) -> Estimate:
        logits = likelihood.factorized_bernoulli_logits((DATA.train.float() / 255).mean(0), 400)
        return Estimate("exact", 1 + likelihood.bernoulli_log_prob(logits, x.float() / 255), low=0.5, high=0.25)

    def pseudo_log_likelihood(self, x: torch.Tensor) -> torch.Tensor:
        return torch.full((len(x),), -7.0)

    def classify(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tensor([0.2, 0.5, 0.3]).expand(len(x), 3)

    def reconstruct(self, x: torch.Tensor) -> torch.Tensor:
        return torch.full(x.shape, 0.5)

    def bound(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.full((len(x),), -3.0), torch.full((len(x),), 2.0)


class TooLarge(Samples, HasLikelihood):
    def log_likelihood(self, x: torch.Tensor) -> Estimate:
        raise UserError("2**500 states")


def test_all_that_can_be_asked() -> None:
    result = evaluate_generator(Everything(), DATA, Rng(0))
    assert result["images"] == 250
    assert result["log_likelihood_kind"] == "exact"
    assert result["margin_nats"] == pytest.approx(1.0, abs=1e-5)
    p = ((DATA.train == 255).double().sum(0) + 1) / 402
    white = (DATA.test == 255).double()
    nats = (white * p.log() + (1 - white) * (1 - p).log()).flatten(1).sum(1)
    assert result["factorized_log_likelihood"] == pytest.approx(float(nats.mean()), abs=1e-4)
    assert result["log_likelihood_ci95"] == pytest.approx(1.96 * float(nats.std()) / math.sqrt(250), rel=1e-4)
    assert result["reconstruction_error"] == 0.25
    assert (result["elbo"], result["kl"]) == (-3.0, 2.0)
    assert result["pseudo_log_likelihood"] == -7.0
    assert result["log_likelihood_low"] == result["log_likelihood"] - 0.5
    assert result["log_likelihood_high"] == result["log_likelihood"] + 0.25
    assert "error" not in result


def test_a_density_is_called_so_and_stands_next_to_no_probability() -> None:
    """A density of real-valued pixels is unbounded on black-and-white images, so it has no margin."""

    class Real(Samples, HasLikelihood, HasPseudoLikelihood):
        def log_likelihood(self, x: torch.Tensor) -> Estimate:
            return Estimate("exact", torch.full((len(x),), 40.0), low=1.0, high=2.0, density=True)

        def pseudo_log_likelihood(self, x: torch.Tensor) -> torch.Tensor:
            raise UserError("none of real pixels")

    result = evaluate_generator(Real(), DATA, Rng(0))
    assert (result["log_density"], result["log_density_kind"]) == (40.0, "exact")
    assert (result["log_density_low"], result["log_density_high"], result["log_density_ci95"]) == (39.0, 42.0, 0.0)
    assert result["pseudo_log_likelihood_missing"] == "none of real pixels"
    assert not {"log_likelihood", "factorized_log_likelihood", "margin_nats", "pseudo_log_likelihood"} & set(result)


def test_the_share_of_wrong_classes_and_how_many_images() -> None:
    labels = torch.ones(250, dtype=torch.int64)
    labels[:50] = 2
    data = replace(DATA, train_labels=torch.zeros(400, dtype=torch.int64), test_labels=labels)
    result = evaluate_generator(Everything(), data, Rng(0))
    assert result["error"] == pytest.approx(0.2)
    assert result["error_ci95"] == pytest.approx(1.96 * math.sqrt(0.2 * 0.8 / 249))
    assert evaluate_generator(Everything(), data, Rng(0), images=40)["images"] == 40


def test_samples_alone() -> None:
    result = evaluate_generator(Samples(), DATA, Rng(0))
    assert set(result) == {"images", "mean_pixel_distance", "mean_pixel_distance_floor", "diversity"}
    sample, train, test = (x.double().div(255).mean(0) for x in (DATA.train[:250], DATA.train, DATA.test))
    assert result["mean_pixel_distance"] == pytest.approx(float((sample - test).abs().mean()))
    assert result["mean_pixel_distance_floor"] == pytest.approx(float((train - test).abs().mean()))
    assert result["diversity"] == pytest.approx(1.0, abs=0.05)


def test_one_image_over_and_over_has_no_diversity() -> None:
    class Collapsed(Samples):
        def sample(self, count: int) -> torch.Tensor:
            return torch.full((count, 1, 4, 4), 0.3)

    assert evaluate_generator(Collapsed(), DATA, Rng(0))["diversity"] == 0.0


def test_no_likelihood_of_gray_images() -> None:
    gray = DataSet(DATA.train // 2, DATA.test // 2)
    result = evaluate_generator(Everything(), gray, Rng(0))
    assert "reconstruction_error" in result
    assert not {"log_likelihood", "elbo", "margin_nats"} & set(result)
    assert result["log_likelihood_missing"] == (
        "the model has a likelihood of binary images only, and these are grayscale; "
        "train on binary ones with data.binarize=threshold or sample"
    )
    assert "log_likelihood_missing" not in evaluate_generator(Samples(), gray, Rng(0))


def test_a_likelihood_that_cannot_be_had_says_why() -> None:
    result = evaluate_generator(TooLarge(), DATA, Rng(0))
    assert result["log_likelihood_missing"] == "2**500 states"
    assert "diversity" in result


def test_the_same_images_every_time_and_no_trace_in_the_run() -> None:
    large = DataSet(DATA.train, images(500, 2), binary=True)
    rng = Rng(0)
    before = rng.state_dict()
    assert evaluate_generator(Everything(), large, rng) == evaluate_generator(Everything(), large, Rng(0))
    assert evaluate_generator(Everything(), large, rng)["images"] == 300
    assert evaluate_generator(Everything(), large, Rng(1)) != evaluate_generator(Everything(), large, Rng(0))
    assert rng.state_dict() == before


def test_one_test_image_is_enough() -> None:
    result = evaluate_generator(Everything(), DataSet(DATA.train, DATA.test[:1], binary=True), Rng(0))
    assert result["images"] == 1
    assert result["log_likelihood_ci95_missing"] == "a single test image has no spread: use more of them"
    assert result["diversity_missing"] == ("it is relative to the distance of two test images, and there is only one")
    assert not {"log_likelihood_ci95", "diversity"} & set(result)


class Counts(Samples):
    """A generator that records how many samples each call requests."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def sample(self, count: int) -> torch.Tensor:
        self.asked.append(count)
        return torch.full((count, 1, 4, 4), 0.5)


class Recording:
    """A feature extractor that records the images it receives."""

    num_features, num_modes = 16, 0

    def __init__(self) -> None:
        self.shown: list[torch.Tensor] = []

    def features(self, x: torch.Tensor) -> torch.Tensor:
        self.shown.append(x)
        return as_float(x).flatten(1)

    def classify(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError


def test_as_many_samples_test_and_training_images() -> None:
    """For binary data, the samples are binary too: a pixel with probability 1/2 is white half of the time."""
    generator, extractor = Counts(), Recording()
    result = evaluate_generator(
        generator, DataSet(images(1_200, 0), images(1_100, 1), binary=True), Rng(0), 1_100, extractor
    )
    assert generator.asked == [500, 500, 100]
    test, samples, train = extractor.shown
    assert len(test) == len(samples) == len(train) == 1_100
    assert set(samples.unique().tolist()) == {0.0, 1.0}
    assert float(samples.mean()) == pytest.approx(0.5, abs=0.02)
    assert float(result["fcd"]) > float(result["fcd_floor"])
    again, gray = Recording(), Recording()
    evaluate_generator(Counts(), DataSet(images(1_200, 0), images(1_100, 1), binary=True), Rng(0), 1_100, again)
    assert all(torch.equal(one, other) for one, other in zip(extractor.shown, again.shown, strict=True))
    evaluate_generator(Counts(), DataSet(DATA.train // 2, DATA.test // 2), Rng(0), 1_100, gray)
    assert set(gray.shown[1].unique().tolist()) == {0.5}


def test_the_floor_is_made_of_as_many_as_there_are() -> None:
    extractor = Recording()
    evaluate_generator(Counts(), DataSet(DATA.train[:40], DATA.test, binary=True), Rng(0), 300, extractor)
    assert [len(x) for x in extractor.shown] == [40, 40, 40]


def test_without_a_extractor_no_more_samples_than_before() -> None:
    generator = Counts()
    evaluate_generator(generator, DataSet(images(10, 0), images(1_700, 1), binary=True), Rng(0), 1_700)
    assert sum(generator.asked) == 1_000
