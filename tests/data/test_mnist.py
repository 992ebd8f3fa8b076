"""IDX files: contents and errors."""

import gzip
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data import _idx, idx
from sandbox.data.idx import IdxConfig
from sandbox.data.mnist import MnistConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS


def encoded(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.tobytes()


def write(folder: Path, *, zipped: bool = False) -> dict[str, bytes]:
    """Write five training and three test images of 4 x 2 pixels."""
    images = np.arange(64, dtype=np.uint8).reshape(8, 4, 2) * 4
    labels = np.array([0, 1, 2, 1, 0, 2, 2, 1], np.uint8)
    contents = dict(zip(idx.FILES, map(encoded, (images[:5], labels[:5], images[5:], labels[5:])), strict=True))
    for name, content in contents.items():
        path = folder / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return contents


def make(folder: Path, **options: object) -> DataSet:
    config = IdxConfig.model_validate({"root": str(folder), **options})
    return config.make(Rng(0), NO_RUNS)


@pytest.mark.parametrize("zipped", [False, True])
def test_images_and_labels(tmp_path: Path, zipped: bool) -> None:
    contents = write(tmp_path, zipped=zipped)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    data = make(tmp_path, sha256=hashes)
    assert (data.train.shape, data.test.shape, data.train.dtype) == ((5, 1, 4, 2), (3, 1, 4, 2), torch.uint8)
    assert data.train[0].flatten().tolist() == [0, 4, 8, 12, 16, 20, 24, 28]
    assert data.test_labels is not None
    assert data.test_labels.tolist() == [2, 2, 1]
    assert (data.spec.num_classes, data.binary) == (3, False)


def test_black_and_white_is_drawn_once(tmp_path: Path) -> None:
    write(tmp_path)
    data = make(tmp_path, binarize="sample")
    assert data.binary
    assert data.train.unique().tolist() == [0, 255]
    assert torch.equal(make(tmp_path, binarize="sample").test, data.test)


def test_a_folder_that_is_not_here_may_be_among_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data" / "mine").mkdir(parents=True)
    write(tmp_path / "data" / "mine")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SANDBOX_DATA", str(tmp_path / "data"))
    assert len(make(Path("mine")).train) == 5
    (tmp_path / "mine").mkdir()  # what is here comes first
    with pytest.raises(UserError, match=r"/mine lacks "):
        make(Path("mine"))
    monkeypatch.delenv("SANDBOX_DATA")
    with pytest.raises(UserError, match=r"^yours lacks "):
        make(Path("yours"))


def test_missing_files(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / idx.FILES[3]).unlink()
    with pytest.raises(UserError) as refused:
        make(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path} lacks t10k-labels-idx1-ubyte (with or without .gz); set data.root to the folder that has them, "
        "here or in $SANDBOX_DATA"
    )


def test_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(encoded(np.zeros((3, 4, 2), np.uint8))[:-1])
    with pytest.raises(UserError) as refused:
        _idx.read(path)
    assert str(refused.value) == (
        f"{path} should have 40 bytes for its shape (3, 4, 2), but has 39. Fetch it again; it may be cut short."
    )


def test_a_cut_archive(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(encoded(np.zeros((3, 4, 2), np.uint8)))[:-9])
    with pytest.raises(UserError, match=r"images.gz cannot be unpacked \(.*\). Fetch it again; it may be cut short."):
        _idx.read(path)


def test_something_else(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(b"\x89PNG and so on")
    with pytest.raises(UserError) as refused:
        _idx.read(path)
    assert str(refused.value) == (
        f"{path} is not an IDX file: it does not begin with two zero bytes. Is it the right file?"
    )
    path.write_bytes(b"\0\0\x0d\1\0\0\0\0")
    with pytest.raises(UserError, match=r"holds numbers of type 0x0d; only unsigned bytes \(0x08\) can be read"):
        _idx.read(path)


def test_another_file_than_was_meant(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(UserError) as refused:
        make(tmp_path, sha256={idx.FILES[0]: "ab" * 32})
    assert str(refused.value).startswith(f"{tmp_path / idx.FILES[0]} is not the expected file: the SHA-256 of")
    assert str(refused.value).endswith("not abababababab. Fetch it again from a source that you trust.")


def test_a_hash_of_no_file(tmp_path: Path) -> None:
    """A mistyped name would leave its file unverified."""
    write(tmp_path)
    with pytest.raises(UserError) as refused:
        make(tmp_path, sha256={"train-images-idx3-ubyte.gz": "ab" * 32})
    assert str(refused.value) == (
        "data.sha256 names train-images-idx3-ubyte.gz, but the unpacked files are train-images-idx3-ubyte, "
        "train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte."
    )


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / idx.FILES[1]).write_bytes(encoded(np.zeros(4, np.uint8)))
    with pytest.raises(UserError, match=r"the train images have the shape \(5, 4, 2\) and the labels \(4,\)"):
        make(tmp_path)


def test_no_images_at_all(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / idx.FILES[0]).write_bytes(encoded(np.zeros((0, 4, 2), np.uint8)))
    (tmp_path / idx.FILES[1]).write_bytes(encoded(np.zeros(0, np.uint8)))
    with pytest.raises(UserError, match=r"\(0, 4, 2\) and the labels \(0,\); .* are needed, N at least 1"):
        make(tmp_path)


def test_no_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_DATA", str(tmp_path))
    with pytest.raises(UserError) as refused:
        MnistConfig().make(Rng(0), NO_RUNS)
    assert str(refused.value) == (
        f"no MNIST in {tmp_path}: neither mnist/train-images-idx3-ubyte nor train-images-idx3-ubyte is there, with or "
        "without .gz. Fetch the four files from https://ossci-datasets.s3.amazonaws.com/mnist/ and set "
        "data.root=FOLDER, or SANDBOX_DATA in the environment. Without a download: data.name=digits."
    )


def test_anything_else_is_not_mnist(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(UserError, match="is not the expected file"):
        MnistConfig(root=str(tmp_path)).make(Rng(0), NO_RUNS)


@pytest.mark.skipif("SANDBOX_DATA" not in os.environ, reason="SANDBOX_DATA names no folder with MNIST")
def test_mnist() -> None:
    data = MnistConfig().make(Rng(0), NO_RUNS)
    assert (data.train.shape, data.test.shape) == ((60_000, 1, 28, 28), (10_000, 1, 28, 28))
    assert (data.train.float().mean() / 255).item() == pytest.approx(0.1307, abs=1e-4)
    assert data.test_labels is not None
    assert data.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
