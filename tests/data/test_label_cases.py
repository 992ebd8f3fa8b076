"""Labels as people have them, generated: the labels that occur become classes 0..K-1; names of IDX files, and rows."""

import gzip
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data import _idx
from sandbox.data._labels import classes_of
from sandbox.data.hub import HubConfig
from sandbox.data.idx import FILES, IdxConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS

NAMES = [
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    ("train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
    ("train-images-idx3-ubyte.gz", "train-labels.idx1-ubyte.gz", "test-images-idx3-ubyte", "test-labels-idx1-ubyte"),
    tuple(f"emnist-letters-{part}-idx{kind}-ubyte" for part, kind in (
        ("train-images", 3), ("train-labels", 1), ("test-images", 3), ("test-labels", 1)
    )),
    ("train_images.idx", "train_labels.idx", "test_images.idx", "test_labels.idx"),
    tuple(f"{name}/{name}" for name in FILES),
]  # fmt: skip


def idx_bytes(array: np.ndarray) -> bytes:
    return b"\0\0\x08" + bytes([array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def write(folder: Path, labels: list[int], names: tuple[str, ...] = NAMES[0], high: int = 256) -> None:
    images = np.random.default_rng(0).integers(0, high, (len(labels), 4, 4)).astype(np.uint8)
    known = np.array(labels, np.uint8)
    for name, array in zip(names, (images, known, images[:3], known[:3]), strict=True):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        content = idx_bytes(array)
        place.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def load(folder: Path, **options: object) -> DataSet:
    return IdxConfig.model_validate({"root": str(folder), **options}).make(Rng(0), NO_RUNS)


@pytest.mark.parametrize("names", NAMES, ids=range(len(NAMES)))
def test_names_of_idx_files(tmp_path: Path, names: tuple[str, ...]) -> None:
    write(tmp_path, [0, 1, 2, 1], names)
    data = load(tmp_path)
    assert (len(data.train), len(data.test)) == (4, 3)


def test_two_data_sets_in_one_folder_are_refused(tmp_path: Path) -> None:
    for prefix in ("letters", "digits"):
        write(tmp_path, [0, 1], tuple(f"{prefix}-{name}" for name in NAMES[0]))
    with pytest.raises(UserError, match="has several files for train-images-idx3-ubyte: digits-train-images"):
        load(tmp_path)


@pytest.mark.parametrize("labels", [[1, 2, 3], [0, 5, 255, 5], [7, 7, 7], [0, 1, 2], [250, 3, 9, 3, 250]])
def test_labels_from_one_or_with_gaps(tmp_path: Path, labels: list[int]) -> None:
    write(tmp_path, labels)
    data = load(tmp_path)
    assert data.train_labels is not None
    assert data.classes is not None
    assert data.spec.num_classes == len(set(labels)) == len(data.classes)
    assert [data.classes[number] for number in data.train_labels.tolist()] == [str(label) for label in labels]


def test_black_and_white_is_seen_in_the_bytes(tmp_path: Path) -> None:
    write(tmp_path, [0, 1, 2])
    assert not load(tmp_path).binary
    write(tmp_path, [0, 1, 2], high=2)
    assert load(tmp_path, white=1).binary


def test_masks_in_idx_files_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, [0, 1, 2], high=2)
    load(tmp_path)
    assert capsys.readouterr().err == (
        f"note: the largest byte of the images in {tmp_path} is 1 of 255, so they are nearly black. If 1 is white, add "
        "data.white=1\n"
    )


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes, head: bool) -> None:
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes((b"\0\0\x08" if head else b"") + content)
    told = str(path)
    try:
        assert _idx.read(path).dtype == np.uint8
    except UserError as refused:
        told = str(refused)
    assert told.startswith(str(path))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=30), st.integers(1, 29))
def test_classes_are_the_labels_that_occur(labels: list[int], cut: int) -> None:
    train, test = labels[:cut], labels[cut:]
    found = classes_of(train, test, "here")
    assert found.names == tuple(str(label) for label in sorted(set(labels)))
    numbers = [*found.train.tolist(), *found.test.tolist()]
    assert [found.names[number] for number in numbers] == [str(label) for label in labels]


def test_names_are_no_classes() -> None:
    with pytest.raises(UserError, match=r"here: there are 5,000 different labels in 5,001 images, and at most 4,096"):
        classes_of(range(5_000), [0], "here")


def hub(monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]], **options: object) -> DataSet:
    table = type("Rows", (list,), {"column_names": ["image", "label"]})(rows)
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=lambda path, **_: table))
    config = HubConfig.model_validate({"path": "a/b", "size": 2, "color": "gray", "label": "label", **options})
    return config.make(Rng(0), NO_RUNS)


def gray(level: int) -> Image.Image:
    return Image.new("L", (3, 3), level)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([False, True], ("0", "1")),
        ([10**9, 7], ("7", "1000000000")),
        ([3, 3], ("3",)),
        (["dog", "cat"], ("cat", "dog")),
    ],
)
def test_labels_of_the_hub(monkeypatch: pytest.MonkeyPatch, labels: list[Any], classes: tuple[str, ...]) -> None:
    data = hub(monkeypatch, [{"image": gray(9 * i + 200), "label": label} for i, label in enumerate(labels)])
    assert data.classes == classes
    assert data.spec.num_classes == len(classes)


@pytest.mark.parametrize("bad", [-1, None, 0.5, "", float("nan"), [1], {"a": 1}])
def test_a_label_that_is_none(monkeypatch: pytest.MonkeyPatch, bad: Any) -> None:
    with pytest.raises(UserError, match=r"has .* in row 1 and the like in 1 of 2"):
        hub(monkeypatch, [{"image": gray(200), "label": 0}, {"image": gray(210), "label": bad}])


@pytest.mark.parametrize("bad", [None, b"bytes", {"path": "x"}, Image.new("F", (2, 2), -1)])
def test_a_row_without_an_image_is_named(monkeypatch: pytest.MonkeyPatch, bad: Any) -> None:
    with pytest.raises(UserError, match=r"1 of 2 rows of column image of a/b, split train, cannot be read.*\n  row 1"):
        hub(monkeypatch, [{"image": gray(200), "label": 0}, {"image": bad, "label": 1}])


def test_sixteen_bits_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = [Image.fromarray(np.full((2, 2), 257 * level, np.uint16)) for level in (40, 200)]
    data = hub(monkeypatch, [{"image": image, "label": i} for i, image in enumerate(wide)])
    assert data.train[:, 0, 0, 0].tolist() == [40, 200]
