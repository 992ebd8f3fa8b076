"""Each figure of an evaluation is a finite number or missing with its reason, whatever the data and the model."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.evaluate.collapse import CollapseWatch
from sandbox.evaluate.figures import attempt, finite, proportion
from sandbox.evaluate.generators import evaluate_generator
from sandbox.interfaces.capabilities import Estimate, HasClassifier, HasLikelihood, HasReconstruction
from sandbox.interfaces.dataset import DataSet
from sandbox.runs.feature_classifier import train_classifier


class Constant(HasReconstruction, HasLikelihood, HasClassifier):
    """A generator all of whose numbers are one number."""

    def __init__(self, value: float) -> None:
        self.value = value

    def update(self, batch: Any) -> dict[str, float]:
        return {}

    def parts(self) -> dict[str, Any]:
        return {}

    def sample(self, count: int) -> torch.Tensor:
        return torch.full((count, 1, 8, 8), self.value)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        return torch.full(images.shape, self.value)

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        return Estimate("exact", torch.full((len(images),), self.value), low=self.value, high=1.0)

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        return torch.full((len(images), 2), self.value)


def images(kind: str, count: int) -> torch.Tensor:
    if kind == "constant":
        return torch.full((count, 1, 8, 8), 255, dtype=torch.uint8)
    draws = torch.randint(0, 256, (count, 1, 8, 8), generator=torch.Generator().manual_seed(count))
    return (draws // 128 * 255 if kind == "binary" else draws).to(torch.uint8)


@pytest.mark.parametrize("value", [0.5, math.nan, math.inf, -math.inf, 1e38])
@pytest.mark.parametrize("count", [1, 2, 5, 70])
@pytest.mark.parametrize("kind", ["constant", "binary", "gray"])
def test_every_figure_is_finite_or_has_a_reason(kind: str, count: int, value: float, classifier: Any) -> None:
    train, test = images(kind, 80), images(kind, count)
    labels = torch.arange(80) % 2
    data = DataSet(train, test, kind != "gray", labels, labels[:count])
    result = evaluate_generator(Constant(value), data, Rng(0), 300, classifier)
    assert all(math.isfinite(figure) for figure in result.values() if not isinstance(figure, str))
    assert all(reason for name, reason in result.items() if name.endswith("_missing"))
    assert {"diversity", "diversity_missing"} & set(result)
    assert {"fcd", "fcd_missing"} & set(result)
    assert ("diversity" in result) == (count > 1 and kind != "constant" and math.isfinite(value))


@pytest.fixture(scope="module", params=["usual", "of constant images"])
def classifier(request: pytest.FixtureRequest) -> Any:
    """A classifier of gray images, and one whose features have no variance."""
    kind = "gray" if request.param == "usual" else "constant"
    labels = torch.arange(20) % 2
    data = DataSet(images(kind, 20), images(kind, 20), False, labels, labels)
    return train_classifier(data)[0]


def test_reasons() -> None:
    def refuse() -> Any:
        raise UserError("2**500 states")

    def fail() -> Any:
        return {"x": float(torch.linalg.eigh(torch.full((2, 2), math.nan)).eigenvalues[0])}

    assert attempt(refuse, "a", "b") == {"a_missing": "2**500 states", "b_missing": "2**500 states"}
    assert attempt(fail, "x")["x_missing"]
    assert finite({"a": 1.0, "b": math.nan, "c": "text"}) == {
        "a": 1.0,
        "b_missing": "the result is nan, so the model, its samples or the data hold numbers that are not finite or far "
        "too large",
        "c": "text",
    }


def test_an_interval_of_one_image_and_of_equal_ones_is_honest() -> None:
    """Clopper and Pearson's interval of 0 of 1 reaches to 0.975, that of 0 of 300 to 1.2 %."""
    assert proportion("error", np.array([0.0]))["error_ci95"] == pytest.approx(0.975)
    assert proportion("error", np.zeros(300))["error_ci95"] == pytest.approx(0.0122, abs=1e-4)
    assert proportion("error", np.array([0.0, 1.0]))["error_ci95"] == pytest.approx(0.98)


def test_few_images_and_reasons_are_no_collapse() -> None:
    watch = CollapseWatch()
    few = {"diversity": 0.0, "images": 5}
    assert [watch.warning(step, few) for step in (1, 2, 3)] == [None] * 3
    missing = {"diversity_missing": "there is only one"}
    assert [watch.warning(step, missing) for step in (1, 2, 3)] == [None] * 3


def test_a_density_far_below_that_of_independent_pixels_has_diverged() -> None:
    class Density(Constant):
        def is_density(self) -> bool:
            return True

        def log_likelihood(self, images: torch.Tensor) -> Estimate:
            return replace(super().log_likelihood(images), density=True)

    gray = DataSet(images("gray", 80), images("gray", 30))
    found = evaluate_generator(Density(-900.0), gray, Rng(0))
    assert found["log_density"] == -900.0
    assert found["density_margin_nats"] == pytest.approx(-900 - float(found["factorized_log_density"]))
    watch = CollapseWatch()
    said = watch.warning(7, found)
    assert said is not None
    assert said.startswith("the model has diverged, at step 7: its log_density is -900 nats, and that of independent")
    assert "diverged" not in str(watch.warning(8, found))
