"""The watch for numbers that are not finite: every metric and every weight, and nothing of them is saved."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from sandbox.training.finite import bad_metric, bad_weight


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("wrap", [float, torch.tensor])
@pytest.mark.parametrize("name", ["loss", "reconstruction_error"])
def test_every_metric_is_watched(name: str, wrap: Any, bad: float) -> None:
    assert bad_metric({"other": 1.0, name: wrap(bad)}, due=False) == f"the {name} is {bad:g}"


def test_large_numbers_are_bad_as_a_loss_only() -> None:
    assert bad_metric({"loss": 2e20}, due=False) == "the loss is 2e+20"
    assert bad_metric({"loss": 9e19, "grads": torch.tensor(2e20), "time": 3}, due=True) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_weight_or_buffer_is_named(bad: float) -> None:
    class Learner:
        norm, counter = nn.BatchNorm1d(3), {"step": 1}

        def parts(self) -> dict[str, Any]:
            return {"norm": self.norm}

    learner = Learner()
    assert bad_weight(learner) is None  # type: ignore[arg-type]
    learner.norm.running_mean[1] = bad
    assert bad_weight(learner) == "norm.running_mean has numbers that are not finite"  # type: ignore[arg-type]
