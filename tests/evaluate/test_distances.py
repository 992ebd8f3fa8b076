"""Distances between sets of images: floors, names, and messages where samples are too few."""

import math

import pytest
import torch

from sandbox.evaluate.distances import image_distances


class Plain:
    """A feature extractor whose two features are the first two pixels; the class is the first pixel."""

    num_features = 2

    def __init__(self, num_modes: int = 0) -> None:
        self.num_modes = num_modes

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, 0, 0, :2].float()

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, 0, 0, 0].long()


def images(count: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    noise = torch.randn(count, 1, 1, 2, generator=torch.Generator().manual_seed(seed))
    return (noise - noise.mean(0)) / noise.std(0) + shift


FIGURES = ("fcd", "kid", "precision", "recall", "density", "coverage")


def test_every_metric_has_its_floor_and_none_is_called_fid() -> None:
    """Means are 3 apart in each of two features of variance 1 (their covariances differ a little by chance)."""
    found = image_distances(Plain(), images(400, 0, 3.0), images(400, 1), images(400, 2))
    assert {*FIGURES, *(f"{name}_floor" for name in FIGURES), "fcd_in_floors", "kid_ci95"} == set(found)
    assert not [name for name in found if "fid" in name.lower()]
    assert found["fcd"] == pytest.approx(18.0, abs=0.1)
    assert 0 < float(found["fcd_floor"]) < 0.1
    assert found["fcd_in_floors"] == pytest.approx(float(found["fcd"]) / float(found["fcd_floor"]))
    assert float(found["kid"]) > 100 * abs(float(found["kid_floor"]))
    assert float(found["precision"]) < 0.3 < 0.9 < float(found["precision_floor"])
    assert float(found["recall"]) < 0.5 < 0.9 < float(found["recall_floor"])
    assert float(found["density"]) < 0.3 < 0.8 < float(found["density_floor"]) < 1.2
    assert float(found["coverage"]) < 0.3 < 0.9 < float(found["coverage_floor"])


def test_the_training_images_as_samples_have_the_floor() -> None:
    train = images(100, 2)
    found = image_distances(Plain(), train, images(100, 1), train)
    assert all(found[name] == found[f"{name}_floor"] for name in FIGURES)
    assert found["fcd_in_floors"] == 1.0


def test_too_few_samples_are_reported_with_the_number_that_is_needed() -> None:
    more = (
        "test images, as many training images and samples, but there are {}: add --images {} "
        "if the data set has more, or train with more test"
    )

    def reasons(count: int) -> dict[str, str]:
        found = image_distances(Plain(), images(count, 0), images(count, 1), images(count, 2))
        return {name: str(value) for name, value in found.items() if name.endswith("_missing")}

    assert reasons(20) == {}
    assert reasons(19) == {
        "kid_missing": f"the mean of ten blocks needs 20 {more.format(19, 20)} images",
    }
    assert reasons(5)["precision_missing"] == f"a ball that reaches to neighbor 5 needs 6 {more.format(5, 6)} images"
    assert reasons(2)["fcd_missing"] == f"a Gaussian of 2 features needs 3 {more.format(2, 3)} images"


def test_modes_are_counted_where_there_are_some_to_count() -> None:
    samples, train = (torch.tensor(classes).repeat(10)[:, None, None, None].expand(30, 1, 1, 2) for classes in MODES)
    found = image_distances(Plain(3), samples.float(), images(30, 1), train.float())
    assert (found["modes"], found["num_modes"], found["modes_floor"]) == (2.0, 3, 3.0)
    assert found["reverse_kl"] == pytest.approx(2 / 3 * math.log(2) + 1 / 3 * math.log(1))
    assert found["reverse_kl_floor"] == pytest.approx(0.0)


MODES = ([0, 0, 1], [0, 1, 2])
