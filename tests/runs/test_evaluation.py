"""Which classifier a run's images are compared by, and what is said where there is none."""

from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from sandbox.core.rng import Rng
from sandbox.data.mnist import MnistConfig
from sandbox.data.stacked_mnist import StackedMnistConfig
from sandbox.evaluate.classifier_store import ClassifierStore
from sandbox.interfaces.dataset import DataConfig, DataSet, Stacked
from sandbox.interfaces.runs import NO_RUNS, OtherRuns
from sandbox.runs import evaluation
from sandbox.runs.build import BuiltRun, build
from sandbox.runs.evaluation import classifier_of
from sandbox.runs.resolve import resolve


def assembled(tmp_path: Path, *words: str, generator: str = "autoencoder") -> BuiltRun:
    words = (f"generator.name={generator}", "steps=1", "device=cpu", *words)
    return build(resolve([], words), tmp_path)


class Known:
    """Hands out what it was asked for."""

    judge, name = "the judge", "its name"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, DataSet]]:
    """The configs and data of which a classifier was wanted; none is trained."""
    found: list[tuple[Any, DataSet]] = []

    def of(_: ClassifierStore, config: DataConfig, data: DataSet) -> Known:
        found.append((config, data))
        return Known()

    monkeypatch.setattr(evaluation.ClassifierStore, "of", of)
    return found


def test_runs_with_other_seeds_have_the_same_one(tmp_path: Path, asked: list[tuple[Any, DataSet]]) -> None:
    """Though each has split the digits in its own way: the first ten are those of seed 0."""
    digits = "data={name: digits, binarize: sample}"
    parts = [assembled(tmp_path, digits, f"seed={seed}") for seed in (1, 2)]
    assert not torch.equal(parts[0].source.test, parts[1].source.test)  # type: ignore[union-attr]
    assert [classifier_of(part, tmp_path) for part in parts] == [({"fcd_classifier": "its name"}, "the judge")] * 2
    (config, one), (_, other) = asked
    assert config == parts[0].config.data
    assert torch.equal(one.train, other.train)
    assert torch.equal(one.test, config.make(Rng(0), NO_RUNS).test)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            "data={name: ising, count: 20, test_count: 5, sweeps: 1}",
            "the images are compared by the features of a classifier, and these have no classes to learn",
        ),
        (
            "data={name: bars_and_stripes, count: 20, test_count: 10}",
            "the classifier takes images of 8 to 64 pixels a side, but these are 4x4",
        ),
        (
            "data={name: bars_and_stripes, count: 20, test_count: 10, size: 64}",
            None,
        ),
    ],
)
def test_images_without_one(tmp_path: Path, asked: list[tuple[Any, DataSet]], data: str, reason: str | None) -> None:
    about, judge = classifier_of(assembled(tmp_path, data), tmp_path)
    assert about == ({"fcd_missing": reason} if reason else {"fcd_classifier": "its name"})
    assert (judge is None) == (reason is not None) == (not asked)


def test_translations_are_no_draws(tmp_path: Path, asked: list[tuple[Any, DataSet]]) -> None:
    """297 test images beside what became of 256 training ones, some of which would be there twice."""
    parts = assembled(tmp_path, "data.name=digits", "generator.backbone.name=mlp", generator="context_encoder")
    assert classifier_of(parts, tmp_path) == (
        {
            "fcd_missing": "its samples are what became of the few sources that it keeps, which are no independent "
            "draws to compare: l1 and ssim say how near it comes to the truth of test images"
        },
        None,
    )
    assert not asked


def test_points_have_none_and_need_none(tmp_path: Path) -> None:
    points = assembled(tmp_path, "data={name: gaussian_ring, count: 50, test_count: 9}", generator="gan")
    assert classifier_of(points, tmp_path) == ({}, None)


class Pairs(DataConfig):
    """Images with two channels of digits."""

    name: Literal["pairs"] = "pairs"

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        digits = self.channel().make(rng, runs)
        return DataSet(digits.train.repeat(1, 2, 1, 1), digits.test.repeat(1, 2, 1, 1))

    def channel(self) -> DataConfig:
        config = resolve([], ["data.name=digits", "generator.name=rbm", "steps=1"]).data
        assert config is not None
        return config


def test_stacked_images_are_compared_channel_by_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the classifier of what they are stacked from."""

    class One:
        num_features, num_modes = 7, 0

    class Found:
        judge, name = One(), "digits"

    configs = []
    monkeypatch.setattr(evaluation.ClassifierStore, "of", lambda _, config, data: configs.append(config) or Found())
    whole = assembled(tmp_path, "data.name=digits")
    stacked = BuiltRun(
        whole.config.model_copy(update={"data": Pairs()}), whole.rng, whole.compute, Pairs().make(Rng(0), NO_RUNS), None
    )
    assert isinstance(Pairs(), Stacked)
    assert isinstance(StackedMnistConfig(), Stacked)
    assert StackedMnistConfig(root="here").channel() == MnistConfig(root="here")
    about, judge = classifier_of(stacked, tmp_path)
    assert about == {"fcd_classifier": "digits"}
    assert judge is not None
    assert (judge.num_features, judge.num_modes) == (14, 100)
    assert configs == [Pairs().channel()]
