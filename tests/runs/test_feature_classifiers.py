"""The classifier that compares a run's images with real ones, and the reason where there is none."""

from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from sandbox.core.rng import Rng
from sandbox.data.mnist import MnistConfig
from sandbox.data.stacked_mnist import StackedMnistConfig
from sandbox.interfaces.dataset import DataConfig, DataSet, Stacked
from sandbox.interfaces.runs import NO_RUNS, OtherRuns
from sandbox.runs import feature_classifiers
from sandbox.runs.build import build
from sandbox.runs.feature_classifier_store import FeatureClassifierStore
from sandbox.runs.feature_classifiers import FeatureClassifiers, Selection
from sandbox.runs.generator_run import BuiltGeneratorRun
from sandbox.runs.resolve import resolve


def built(tmp_path: Path, *words: str, generator: str = "autoencoder") -> BuiltGeneratorRun:
    run = build(resolve([], [f"generator.name={generator}", "steps=1", "device=cpu", *words]), tmp_path)
    assert isinstance(run, BuiltGeneratorRun)
    return run


def select(run: BuiltGeneratorRun, tmp_path: Path) -> Selection:
    return FeatureClassifiers(tmp_path, NO_RUNS).select(run.config.data, run.data, run.learner)


class Known:
    classifier, name = "the classifier", "its name"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, DataSet]]:
    """The configs and data for which a classifier was asked; none is trained."""
    found: list[tuple[Any, DataSet]] = []

    def get(_: FeatureClassifierStore, config: DataConfig, data: DataSet) -> Known:
        found.append((config, data))
        return Known()

    monkeypatch.setattr(feature_classifiers.FeatureClassifierStore, "get", get)
    return found


def test_runs_with_other_seeds_share_the_classifier_of_seed_0(tmp_path: Path, asked: list[tuple[Any, DataSet]]) -> None:
    """The runs split the digits differently."""
    digits = "data={name: digits, binarize: sample}"
    runs = [built(tmp_path, digits, f"seed={seed}") for seed in (1, 2)]
    assert not torch.equal(runs[0].data.test, runs[1].data.test)
    assert [select(run, tmp_path) for run in runs] == [({"fcd_classifier": "its name"}, "the classifier")] * 2
    (config, one), (_, other) = asked
    assert config == runs[0].config.data
    assert torch.equal(one.train, other.train)
    assert torch.equal(one.test, config.make(Rng(0), NO_RUNS).test)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            "data={name: ising, count: 20, test_count: 5, sweeps: 1}",
            "images are compared by the features of a classifier, and these data have no classes to train one on",
        ),
        (
            "data={name: bars_and_stripes, count: 20, test_count: 10}",
            "the classifier takes images of 8 to 64 pixels a side, but these are 4x4",
        ),
        ("data={name: bars_and_stripes, count: 20, test_count: 10, size: 64}", None),
    ],
)
def test_images_without_a_classifier(
    tmp_path: Path, asked: list[tuple[Any, DataSet]], data: str, reason: str | None
) -> None:
    about, classifier = select(built(tmp_path, data), tmp_path)
    assert about == ({"fcd_missing": reason} if reason else {"fcd_classifier": "its name"})
    assert (classifier is None) == (reason is not None) == (not asked)


def test_translations_are_no_independent_samples(tmp_path: Path, asked: list[tuple[Any, DataSet]]) -> None:
    """Sampling translates 256 training images, some of them repeatedly, so no distance is computed."""
    run = built(tmp_path, "data.name=digits", "generator.backbone.name=mlp", generator="context_encoder")
    about, classifier = select(run, tmp_path)
    assert classifier is None
    assert about["fcd_missing"].startswith("a translator's samples are translations of the few sources that it keeps")
    assert not asked


def test_points_have_none_and_need_none(tmp_path: Path) -> None:
    points = built(tmp_path, "data={name: gaussian_ring, count: 50, test_count: 9}", generator="gan")
    assert select(points, tmp_path) == ({}, None)


class Pairs(DataConfig, Stacked):
    """Images with two channels of digits."""

    name: Literal["pairs"] = "pairs"

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        digits = self.channel().make(rng, runs)
        return DataSet(digits.train.repeat(1, 2, 1, 1), digits.test.repeat(1, 2, 1, 1))

    def channel(self) -> DataConfig:
        config: DataConfig = dict(resolve([], ["data.name=digits", "generator.name=rbm", "steps=1"]))["data"]
        return config


def test_stacked_images_are_compared_channel_by_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The classifier is the one of the images that are stacked."""

    class One:
        num_features, num_modes = 7, 0

    class Found:
        classifier, name = One(), "digits"

    configs = []
    monkeypatch.setattr(
        feature_classifiers.FeatureClassifierStore, "get", lambda _, config, data: configs.append(config) or Found()
    )
    run = built(tmp_path, "data.name=digits")
    assert isinstance(StackedMnistConfig(), Stacked)
    assert StackedMnistConfig(root="here").channel() == MnistConfig(root="here")
    stacked = Pairs().make(Rng(0), NO_RUNS)
    about, classifier = FeatureClassifiers(tmp_path, NO_RUNS).select(Pairs(), stacked, run.learner)
    assert about == {"fcd_classifier": "digits"}
    assert classifier is not None
    assert (classifier.num_features, classifier.num_modes) == (14, 100)
    assert configs == [Pairs().channel()]
