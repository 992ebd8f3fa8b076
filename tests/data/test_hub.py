"""Data sets of the Hugging Face Hub, with a stand-in for its library: contents, hash and errors."""

import hashlib
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data.hub import HubConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS


class Rows(list):
    @property
    def column_names(self) -> list[str]:
        return list(self[0])


def rows(*levels: int) -> Rows:
    return Rows({"image": Image.new("L", (6, 6), 50 * n), "label": n, "text": f"a {n}"} for n in levels)


SPLITS = {"train": rows(0, 1, 2, 1), "test": rows(2, 0)}


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Replace the library by a stand-in, and return the list of the arguments that it receives."""
    calls: list[tuple[Any, ...]] = []

    def load_dataset(path: str, *, split: str, revision: str | None) -> Rows:
        calls.append((path, split, revision))
        if split not in SPLITS:
            raise ValueError(f'Unknown split "{split}".')
        return SPLITS[split]

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    return calls


def make(**options: Any) -> DataSet:
    config = HubConfig.model_validate({"path": "someone/numbers", "size": 3, "color": "gray", **options})
    return config.make(Rng(0), NO_RUNS)


def refusal(**options: Any) -> str:
    with pytest.raises(UserError) as refused:
        make(**options)
    return str(refused.value)


def test_images_and_labels(asked: list[tuple[Any, ...]]) -> None:
    data = make(label="label", revision="abc123")
    assert asked == [("someone/numbers", "train", "abc123"), ("someone/numbers", "test", "abc123")]
    assert (data.train.shape, data.test.shape, data.train.dtype) == ((4, 1, 3, 3), (2, 1, 3, 3), torch.uint8)
    assert data.train[:, 0, 0, 0].tolist() == [0, 50, 100, 50]
    assert data.train_labels is not None
    assert data.train_labels.tolist() == [0, 1, 2, 1]
    assert data.spec.num_classes == 3
    assert make().train_labels is None
    assert make(color="rgb").train.shape == (4, 3, 3, 3)
    assert make(binarize="threshold", threshold=60).train[:, 0, 0, 0].tolist() == [0, 0, 255, 0]


def test_the_hash_of_what_was_loaded() -> None:
    data = make()
    found = hashlib.sha256(data.train.numpy().tobytes() + data.test.numpy().tobytes()).hexdigest()
    assert torch.equal(make(sha256=found).train, data.train)
    assert refusal(sha256="0" * 64) == (
        f"someone/numbers is not the expected data set: the SHA-256 of its images is {found}, but "
        f"data.sha256={'0' * 64}. Set data.revision to the commit that has it, or data.sha256 to the new hash if the "
        "change is intended."
    )


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert refusal() == (
        "data.name=hub needs Hugging Face's datasets, which is not installed. Run: pip install 'rl-sandbox[data]'"
    )


def test_what_the_library_refuses() -> None:
    assert refusal(test="validation") == (
        'someone/numbers, split validation, cannot be loaded: ValueError: Unknown split "validation".. '
        "Check data.path, data.train and data.test, and the connection to huggingface.co."
    )


def test_no_such_column() -> None:
    assert refusal(image="img", label="class") == (
        "someone/numbers has no column class or img. Set data.image and data.label to some of: image, label, text."
    )


@pytest.mark.parametrize(("label", "told"), [(-1, "-1"), (None, "None"), ("cat", "'cat'")])
def test_a_split_that_is_not_labeled(monkeypatch: pytest.MonkeyPatch, label: object, told: str) -> None:
    unlabeled = Rows([*rows(2), *({**row, "label": label} for row in rows(0, 1))])
    monkeypatch.setitem(SPLITS, "contest", unlabeled)
    assert refusal(label="label", test="contest") == (
        f"column label of someone/numbers, split contest, has {told} in row 1 and the like in 2 of 3, where classes "
        "0, 1, ... are needed. Set data.label=null to learn without labels, or another data.train or data.test."
    )
    assert make(test="contest").test_labels is None


def test_a_column_without_images() -> None:
    assert refusal(image="text") == (
        "column text of someone/numbers, split train, holds str, but images are needed. "
        "Set data.image to another of: image, label, text."
    )
