"""A folder of images: sizes, colors, classes and errors."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data._square_images import to_square
from sandbox.data.images import ImagesConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS


def make(root: Path, seed: int = 0, **options: Any) -> DataSet:
    config = ImagesConfig.model_validate({"root": str(root), "size": 4, **options})
    return config.make(Rng(seed), NO_RUNS)


def refusal(root: Path, **options: Any) -> str:
    with pytest.raises(UserError) as refused:
        make(root, **options)
    return str(refused.value)


def write(path: Path, color: tuple[int, ...] = (10, 20, 30), size: tuple[int, int] = (8, 8), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)


def test_every_image_once_in_color(tmp_path: Path) -> None:
    for level in range(20):
        write(tmp_path / f"{level}.{'png' if level % 2 else 'PNG'}", (level, 2 * level, 200))
    (tmp_path / "notes.txt").write_text("not a picture")
    data = make(tmp_path, test_fraction=0.25)
    assert (data.train.shape[1:], data.test.shape[1:], data.train.dtype) == ((3, 4, 4), (3, 4, 4), torch.uint8)
    assert 1 <= len(data.test) <= 10
    assert sorted(torch.cat([data.train, data.test])[:, 1, 0, 0].tolist()) == list(range(0, 40, 2))
    assert (data.binary, data.train_labels) == (False, None)
    assert torch.equal(make(tmp_path, test_fraction=0.25).train, data.train)
    assert not torch.equal(make(tmp_path, 1, test_fraction=0.25).train, data.train)


def test_the_middle_of_the_longer_side_scaled_to_the_square() -> None:
    image = np.zeros((8, 24), np.uint8)
    image[:, 8:16] = 200
    assert (to_square(Image.fromarray(image), 4, "gray").values == 200).all()
    assert to_square(Image.fromarray(image).resize((48, 16)), 4, "rgb").values.shape == (3, 4, 4)


def test_other_formats() -> None:
    """An image with a palette, a transparent one, and one that its EXIF data turn by 90 degrees."""
    assert to_square(Image.new("P", (4, 4), 0), 4, "rgb").values.shape == (3, 4, 4)
    clear = Image.new("RGBA", (4, 4), (255, 255, 255, 0))
    assert not to_square(clear, 4, "gray").values.any()
    lying, tag = Image.new("L", (4, 4), 0), Image.Exif()
    lying.putpixel((0, 0), 255)
    tag[0x0112] = 6  # turn it by 90 degrees clockwise
    lying.info["exif"] = tag.tobytes()
    assert to_square(lying, 4, "gray").values[0, 0].tolist() == [0, 0, 0, 255]


def test_subfolders_are_classes(tmp_path: Path) -> None:
    for label, animal in enumerate(("cat", "dog", "eel")):
        for i in range(6):
            write(tmp_path / animal / "deeper" / f"{i}.png", (40 * label + i,), mode="L")
    data = make(tmp_path, color="gray", test_fraction=0.3)
    assert data.train_labels is not None
    assert data.test_labels is not None
    assert data.spec.num_classes == 3
    assert (len(data.train) + len(data.test), data.train.shape[1:]) == (18, (1, 4, 4))
    assert data.classes == ("cat", "dog", "eel")
    assert torch.equal(data.train[:, 0, 0, 0] // 40, data.train_labels)
    assert torch.equal(data.test[:, 0, 0, 0] // 40, data.test_labels)


def test_binarized(tmp_path: Path) -> None:
    for i in range(4):
        write(tmp_path / f"{i}.png", (60 * i,), mode="L")
    data = make(tmp_path, color="gray", binarize="threshold", threshold=100)
    assert data.binary
    assert sorted(torch.cat([data.train, data.test])[:, 0, 0, 0].tolist()) == [0, 0, 255, 255]


def test_no_such_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(Path("cats")) == (
        f"data.root=cats is not a folder (looked in {tmp_path}). Set it to the folder of images."
    )


def test_too_few_images(tmp_path: Path) -> None:
    write(tmp_path / "one.jpg")
    assert refusal(tmp_path) == (
        f"data.root={tmp_path} has 1 images (.png, .jpg and other formats, including subfolders); "
        "at least 2 are needed, one of them to test."
    )


def test_images_next_to_classes(tmp_path: Path) -> None:
    for path in ("stray.png", "cat/1.png", "dog/1.png"):
        write(tmp_path / path)
    assert refusal(tmp_path) == (
        f"data.root={tmp_path} has images both next to and in its subfolders (cat, dog). "
        "Subfolders are classes: move all images into subfolders, or none."
    )


def test_damaged_images_are_named(tmp_path: Path) -> None:
    for i in range(3):
        write(tmp_path / f"{i}.png", size=(64, 64))
    (tmp_path / "0.png").write_bytes((tmp_path / "0.png").read_bytes()[:60])
    (tmp_path / "2.png").write_text("no picture")
    said = refusal(tmp_path).splitlines()
    assert said[0] == "2 of 3 images cannot be read; repair or remove them:"
    assert said[1].startswith(f"  {tmp_path / '0.png'} (")
    assert said[2] == f"  {tmp_path / '2.png'} (no image in a known format)"
    assert len(said) == 3


def test_ten_of_many_damaged_images_are_named(tmp_path: Path) -> None:
    for i in range(13):
        (tmp_path / f"{i:02d}.png").write_text("no picture")
    said = refusal(tmp_path).splitlines()
    assert len(said) == 12
    assert said[-1] == "  and 3 more"
