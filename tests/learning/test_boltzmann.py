"""Trap 32: centered, a machine learns images in black on white as well as in white on black."""

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.data.digits import DigitsConfig
from sandbox.generators.rbm import RBMConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS
from sandbox.streams.shuffled import ShuffledConfig
from sandbox.training.loop import Run

pytestmark = pytest.mark.learning


def nats(data: DataSet, centering: float) -> float:
    """Exact, of the test images."""
    learning = {
        "lr": {"start": 0.05, "end": 0.0, "steps": 3_000},
        "momentum": {"start": 0.0, "end": 0.0},
        "centering": centering,
    }
    rng, compute = Rng(0), choose("cpu")
    rbm = RBMConfig.model_validate({"backbone": {"hidden": [16]}, "learning": learning}).make(
        data.spec, rng, compute, NO_RUNS
    )
    run = Run(rbm, ShuffledConfig().make(data, rbm, rng, compute), rng)
    for _ in zip(range(3_000), run.steps(), strict=False):
        pass
    return float(rbm.log_likelihood(data.test).nats.mean())


def test_centered_black_on_white_is_as_likely_as_white_on_black() -> None:
    torch.set_num_threads(1)
    data = DigitsConfig(binarize="threshold", threshold=250).make(Rng(0), NO_RUNS)
    flipped = DataSet(255 - data.train, 255 - data.test, binary=True)
    centered = [nats(images, 0.01) for images in (data, flipped)]
    plain = [nats(images, 0.0) for images in (data, flipped)]
    assert abs(centered[0] - centered[1]) < 0.1
    assert min(centered) > -15
    assert plain[0] - plain[1] > 0.25
