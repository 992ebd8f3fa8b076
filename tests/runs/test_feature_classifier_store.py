"""The store of classifiers: each is trained once, identified by hashes, and refused where these do not match."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from safetensors.torch import load_file, save_file

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns
from sandbox.runs import feature_classifier_store
from sandbox.runs.feature_classifier_store import FeatureClassifierStore, data_digest


class Stripes(DataConfig):
    name: Literal["stripes"] = "stripes"
    width: int = 1

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        raise NotImplementedError


@pytest.fixture(scope="session")
def trained(striped: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one classifier for tests to copy, because training is slow."""
    folder = tmp_path_factory.mktemp("trained")
    FeatureClassifierStore(folder).get(Stripes(), striped)
    return folder


@pytest.fixture
def known(trained: Path, tmp_path: Path) -> Path:
    """Return the folder of a fresh copy of the classifier."""
    shutil.copytree(trained, tmp_path / "classifiers")
    (place,) = (path for path in (tmp_path / "classifiers").iterdir() if path.is_dir())
    return place


def refused(place: Path, data: DataSet) -> str:
    with pytest.raises(UserError) as error:
        FeatureClassifierStore(place.parent).get(Stripes(), data)
    return str(error.value)


def again(place: Path) -> str:
    return f"To train a new one, whose results cannot be compared with earlier ones: rm -r {place}"


def test_it_is_trained_once(
    known: Path, striped: DataSet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert known.name.startswith("stripes_")
    assert {path.name for path in known.iterdir()} == {"classifier.json", "weights.safetensors"}
    info = json.loads((known / "classifier.json").read_text())
    assert info["data"] == {"name": "stripes", "width": 1}
    monkeypatch.setattr(feature_classifier_store, "train_classifier", None)
    found = FeatureClassifierStore(known.parent).get(Stripes(), striped)
    assert found.name == f"{known.name}, weights {info['weights_sha256'][:8]}"
    weights = load_file(known / "weights.safetensors")
    for name, weight in found.classifier.network.state_dict().items():
        assert torch.equal(weight, weights[name.replace("encoder.layers.", "body.")])
    assert torch.equal(found.classifier.mean, weights["mean"])
    assert capsys.readouterr().err == ""


def test_other_data_are_refused(known: Path, striped: DataSet) -> None:
    changed = striped.test.clone()
    changed[3, 0, 2, 2] ^= 1
    for other in (
        replace(striped, test=changed),
        replace(striped, train_labels=striped.train_labels.flip(0)),  # type: ignore[union-attr]
        replace(striped, train=striped.train.flip(0)),
    ):
        assert refused(known, other) == (
            f"the classifier in {known} was trained on other data: their SHA-256 is {data_digest(striped)[:8]}..., "
            f"that of the present data is {data_digest(other)[:8]}.... {again(known)}"
        )


def test_changed_weights_are_refused(known: Path, striped: DataSet) -> None:
    file = known / "weights.safetensors"
    weights = load_file(file)
    weights["head.bias"] += 1e-6
    save_file(weights, file)
    expected = f"{file} is missing, cut short or changed: its SHA-256 differs from classifier.json. {again(known)}"
    assert refused(known, striped) == expected
    file.unlink()
    assert refused(known, striped) == expected


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "sandbox-classifier-1"}'])
def test_an_info_file_that_cannot_be_read(known: Path, striped: DataSet, text: str) -> None:
    file = known / "classifier.json"
    file.write_text(text)
    assert refused(known, striped) == f"{file} is missing or cannot be read. {again(known)}"


def test_an_info_file_of_another_format(known: Path, striped: DataSet) -> None:
    file = known / "classifier.json"
    file.write_text(file.read_text().replace("sandbox-classifier-1", "sandbox-classifier-2"))
    assert refused(known, striped) == f"{file} is not in the format sandbox-classifier-1. {again(known)}"


def test_a_kill_in_the_middle_leaves_nothing_behind(
    striped: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed while it saves leaves no folder of a classifier, and the next one trains anew."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(feature_classifier_store, "flush", killed)
        with pytest.raises(KeyboardInterrupt):
            FeatureClassifierStore(tmp_path).get(Stripes(), striped)
    assert not list(tmp_path.glob("stripes_*"))
    FeatureClassifierStore(tmp_path).get(Stripes(), striped)
    assert not list(tmp_path.glob(".writing_*"))


def test_a_place_that_cannot_be_written(striped: DataSet, tmp_path: Path) -> None:
    (tmp_path / "classifiers").write_text("a file")
    with pytest.raises(UserError) as error:
        FeatureClassifierStore(tmp_path / "classifiers").get(Stripes(), striped)
    assert str(error.value).startswith(
        f"cannot save the classifier of this data set in {tmp_path}/classifiers/stripes_"
    )
    assert str(error.value).endswith(". Free some space or give write access.")


def test_another_config_has_another_one(known: Path, striped: DataSet, capsys: pytest.CaptureFixture) -> None:
    capsys.readouterr()
    FeatureClassifierStore(known.parent).get(Stripes(width=2), striped)
    (place,) = {path for path in known.parent.glob("stripes_*") if path.is_dir()} - {known}
    said = capsys.readouterr().err.splitlines()
    assert said[0] == (
        "note: training a classifier of this data set, once, "
        "for the Fréchet classifier distance and related metrics ..."
    )
    assert said[1].startswith("note: trained the classifier in ")
    assert said[1].endswith(f" of the images, and is kept in {place}")
