"""Folders of images as people have them, generated: each is read with nothing lost in silence, or is refused."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data.images import ImagesConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS

COUNT = 6
RAMP = np.linspace(0, 1, 16).reshape(4, 4)
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "I;16B", "F")
FORMATS = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "jpg": ("L", "RGB", "CMYK"),
    "webp": ("L", "RGB", "RGBA"),
    "bmp": ("1", "L", "P", "RGB", "RGBA"),
    "tiff": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "I;16", "I;16B", "F"),
    "gif": ("1", "L", "P"),
    "tga": ("L", "RGB"),
    "ppm": ("1", "L", "RGB", "I"),
}
WAYS = [(ending, mode) for ending, modes in FORMATS.items() for mode in modes]


def ramp_image(mode: str, level: int = 0) -> Image.Image:
    """A ramp from black to white, a little darker for every level."""
    ramp = RAMP * (1 - level / 40)
    if mode == "F":
        return Image.fromarray(ramp.astype(np.float32))
    if mode.startswith("I"):
        kind = {"I": np.int32, "I;16": np.uint16, "I;16B": ">u2"}[mode]
        return Image.fromarray((ramp * 65_535).astype(kind))
    return Image.fromarray((ramp * 255).astype(np.uint8)).convert("RGB").convert(mode if mode != "PA" else "P")


def load(root: Path, **options: object) -> DataSet:
    return ImagesConfig.model_validate({"root": str(root), "size": 4, "color": "gray", **options}).make(Rng(0), NO_RUNS)


def save(place: Path, mode: str = "L", level: int = 0) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    ramp_image(mode, level).save(place)


def total(data: DataSet) -> int:
    return len(data.train) + len(data.test)


@pytest.mark.parametrize(("ending", "mode"), WAYS, ids=["-".join(way) for way in WAYS])
def test_a_ramp_stays_a_ramp_in_every_format_and_mode(tmp_path: Path, ending: str, mode: str) -> None:
    for level in range(COUNT):
        save(tmp_path / f"{level}.{ending}", mode, level)
    data = load(tmp_path)
    assert total(data) == COUNT
    brightest = max(torch.cat([data.train, data.test]).float().mean((1, 2, 3)).tolist())
    assert 100 < brightest < 155  # neither white, nor black, nor cut: the mean of a ramp


CASES: dict[str, tuple[Callable[[Path], object], int, str]] = {}


def case(count: int, told: str = "") -> Callable[[Callable[[Path], object]], Callable[[Path], object]]:
    """Register a folder of which `count` images are read, with `told` in the notes; -1 for a refusal with `told`."""

    def register(build: Callable[[Path], object]) -> Callable[[Path], object]:
        CASES[build.__name__] = (build, count, told)
        return build

    return register


def six(root: Path, ending: str = "png") -> None:
    for level in range(COUNT):
        save(root / f"{level}.{ending}", level=level)


def classes(root: Path, *names: str) -> None:
    for name in names or ("cat", "dog"):
        six(root / name)


@case(12)
def hidden_folders_next_to_classes_and_inside(root: Path) -> None:
    classes(root)
    six(root / ".ipynb_checkpoints")
    six(root / "cat" / ".ipynb_checkpoints")
    six(root / "dog" / ".deep" / "deeper")


@case(12)
def hidden_files(root: Path) -> None:
    classes(root)
    (root / "cat" / "._0.png").write_bytes(b"resource fork")
    (root / ".DS_Store").write_bytes(b"")
    (root / "Thumbs.db").write_bytes(b"")


@case(6, "1 .csv, 2 .npy, 1 without a suffix")
def other_files(root: Path) -> None:
    six(root)
    for name in ("labels.csv", "a.npy", "b.npy", "README"):
        (root / name).write_text("no image")


@case(12, "has its own split")
def a_split_above_the_classes(root: Path) -> None:
    classes(root / "train", "cat")
    classes(root / "test", "cat")


@case(24, "12 training and 12 test images")
def a_split_of_two_classes(root: Path) -> None:
    classes(root / "train")
    classes(root / "test")


@case(24, "12 training and 12 test images")
def a_split_below_the_classes(root: Path) -> None:
    for name in ("cat", "dog"):
        six(root / name / "Train")
        six(root / name / "Test")


@case(12, "6 validation images are left out")
def a_split_with_validation(root: Path) -> None:
    for name in ("train", "val", "test"):
        six(root / name)


@case(12, "6 training and 6 test images")
def validation_is_the_test_set(root: Path) -> None:
    six(root / "train")
    six(root / "val")


@case(-1, "next to extra")
def half_a_split(root: Path) -> None:
    classes(root / "train")
    classes(root / "test")
    classes(root / "extra")


@case(12, "its subfolders are the classes")
def one_wrapper(root: Path) -> None:
    classes(root / "shapes")


@case(12, "its subfolders are the classes")
def two_wrappers(root: Path) -> None:
    classes(root / "a" / "b")


@case(12, "its subfolders are the classes")
def only_a_training_part(root: Path) -> None:
    classes(root / "train")


@case(6, "they have no classes")
def one_class(root: Path) -> None:
    six(root / "cat")


@case(12, "without images are left out: empty")
def an_empty_class(root: Path) -> None:
    classes(root)
    (root / "empty").mkdir()


@case(-1, "images both next to and in its subfolders")
def images_next_to_classes(root: Path) -> None:
    classes(root)
    six(root)


@case(12)
def a_class_behind_a_link(root: Path) -> None:
    six(root / "data" / ".elsewhere")
    six(root / "data" / "cat")
    (root / "data" / "dog").symlink_to(root / "data" / ".elsewhere")


@case(12)
def a_link_that_leads_back(root: Path) -> None:
    classes(root)
    (root / "cat" / "loop").symlink_to(root)


@case(-1, "has 0 images")
def a_folder_that_is_called_like_an_image(root: Path) -> None:
    (root / "a.png").mkdir()


@case(6, "the first image is taken of 1 that hold several")
def an_animation(root: Path) -> None:
    for level in range(5):
        save(root / f"{level}.png", level=level)
    frames = [ramp_image("L", level) for level in range(3)]
    frames[0].save(root / "film.gif", save_all=True, append_images=frames[1:])


@case(-1, "0.jpg (")
def a_broken_exif_tag(root: Path) -> None:
    six(root, "jpg")
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0\0\0\0\0"
    ramp_image("L").save(root / "0.jpg", exif=exif[:-9] + b"\0\0")
    (root / "0.jpg").write_bytes((root / "0.jpg").read_bytes()[:120])


@case(-1, "2 of 6 images cannot be read")
def damaged_files(root: Path) -> None:
    six(root)
    (root / "0.png").write_bytes(b"")
    (root / "3.png").write_bytes((root / "3.png").read_bytes()[:50])


@case(-1, "negative or not finite")
def floats_that_are_not_finite(root: Path) -> None:
    six(root)
    Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(root / "nan.tiff")


@case(-1, "data.white=1e+06")
def floats_beyond_every_range(root: Path) -> None:
    for level in (1, 2):
        Image.fromarray(np.full((4, 4), level * 5e5, np.float32)).save(root / f"{level}.tiff")


@case(6, "the largest byte of the images in")
def masks_of_zero_and_one(root: Path) -> None:
    for level in range(COUNT):
        Image.fromarray((level < RAMP * 20).astype(np.uint8)).save(root / f"{level}.png")


@case(6, "255 is taken for white")
def bytes_in_sixteen_bits(root: Path) -> None:
    for level in range(COUNT):
        Image.fromarray((RAMP * (255 - level)).astype(np.uint16)).save(root / f"{level}.png")


@pytest.mark.parametrize("name", CASES)
def test_a_folder_is_read_or_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    build, count, told = CASES[name]
    build(tmp_path)
    if count < 0:
        with pytest.raises(UserError) as refused:
            load(tmp_path)
        assert told in str(refused.value)
        return
    assert total(load(tmp_path)) == count
    assert told in capsys.readouterr().err


def test_white_and_threshold_for_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masks_of_zero_and_one(tmp_path)
    load(tmp_path, binarize="threshold")
    said = capsys.readouterr().err
    assert "makes every pixel black: the bytes of the images" in said
    assert "add data.white=1" in said
    data = load(tmp_path, binarize="threshold", white=1)
    assert torch.cat([data.train, data.test]).unique().tolist() == [0, 255]
    assert not capsys.readouterr().err


def test_the_split_of_the_folder_and_the_names_of_the_classes(tmp_path: Path) -> None:
    six(tmp_path / "train" / "dog")
    six(tmp_path / "train" / "ant")
    six(tmp_path / "test" / "dog")
    data = load(tmp_path)
    assert (len(data.train), len(data.test), data.classes) == (12, 6, ("ant", "dog"))
    assert data.test_labels is not None
    assert data.test_labels.tolist() == [1] * 6


@pytest.mark.parametrize("seed", range(5))
def test_files_that_come_and_go_move_no_other(tmp_path: Path, seed: int) -> None:
    draws = np.random.default_rng(seed)
    for number in range(30):
        Image.fromarray(draws.integers(0, 256, (4, 4), np.uint8)).save(tmp_path / f"{number:02d}.png")
    before = load(tmp_path, test_fraction=0.3)
    known = {part: {x.numpy().tobytes() for x in getattr(before, part)} for part in ("train", "test")}
    for number in (50, 51, 52):
        Image.fromarray(draws.integers(0, 256, (4, 4), np.uint8)).save(tmp_path / f"0{number}.png")
    (tmp_path / "07.png").unlink()
    shutil.copy(tmp_path / "03.png", tmp_path / "copy.png")
    after = load(tmp_path, test_fraction=0.3)
    now = {part: {x.numpy().tobytes() for x in getattr(after, part)} for part in ("train", "test")}
    assert not now["train"] & known["test"]
    assert not now["test"] & known["train"]
    assert len(after.train) + len(after.test) == 33
