"""A walk through a folder of images: its files, its classes, and its training and test part."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.data._image_files import suffixes

Side = Literal["train", "test"]
_SIDES: dict[str, Side] = {"train": "train", "training": "train", "test": "test", "testing": "test"}
_VALIDATION = {"val", "valid", "validation", "dev"}
_IGNORED = {"thumbs.db", "desktop.ini"}


class FolderImage(NamedTuple):
    """An image file, the name of its class or None, and the part that it is in or None."""

    path: Path
    label: str | None
    side: Side | None


def folder_images(root: Path) -> list[FolderImage]:
    """Find the images in a folder and its subfolders, in alphabetical order.

    Files and folders whose names begin with a dot are skipped; other files that are no images are counted in a note. A
    single subfolder is only a wrapper of what it holds. Folders `train` and `test`, above or below the classes, are
    the parts of the data set. All other subfolders are classes.

    Raises:
        UserError: If the folder is missing or cannot be read, has fewer than two images, or has images both next to
            and in its subfolders.
    """
    if not root.is_dir():
        raise UserError(f"data.root={root} is not a folder (looked in {Path.cwd()}). Set it to the folder of images.")
    files = image_files(root)
    if len(files) < 2:
        raise UserError(
            f"data.root={root} has {len(files)} images (.png, .jpg and other formats, including subfolders); "
            "at least 2 are needed, one of them to test."
        )
    inner = Path(os.path.commonpath([file.parent for file in files]))
    if inner != root:
        nested = any(file.parent != inner for file in files)
        note(f"all images are in {inner}; " + ("its subfolders are the classes" if nested else "they have no classes"))
    parts = [file.relative_to(inner).parts[:-1] for file in files]
    level = _level_of_sides(parts)
    if level is None:
        _refuse_half_split(inner, parts)
        return [FolderImage(file, _label(inner, parts, way), None) for file, way in zip(files, parts, strict=True)]
    return _split_images(inner, files, parts, level)


def image_files(root: Path) -> list[Path]:
    """Return the image files in a folder and its subfolders, in alphabetical order; others are counted in a note.

    Raises:
        UserError: If a folder cannot be read.
    """
    known, files, others, empty = suffixes(), list[Path](), list[str](), list[str]()
    for folder, paths in _walk(root, frozenset()):
        images = [path for path in paths if path.suffix.lower() in known and path.is_file()]
        files += images
        left = [path for path in paths if path not in images and not path.is_dir()]
        others += [path.suffix.lower() or "without a suffix" for path in left if path.name.lower() not in _IGNORED]
        if not images and not any(path.is_dir() for path in paths) and folder != root:
            empty.append(str(folder.relative_to(root)))
    if others:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(others).items()))
        note(f"files in {root} that are no images are left out: {kinds}")
    if empty:
        note(f"folders in {root} without images are left out: {', '.join(sorted(empty)[:10])}")
    return sorted(files)


def _walk(folder: Path, above: frozenset[str]) -> Iterator[tuple[Path, list[Path]]]:
    """Yield a folder and its subfolders with their content, but nothing whose name begins with a dot.

    Links to folders are followed, unless they lead back to one of the folders `above`.
    """
    above |= {os.path.realpath(folder)}
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}. Give read access, or move it away.") from error
    yield folder, paths
    for path in paths:
        if path.is_dir() and os.path.realpath(path) not in above:
            yield from _walk(path, above)


def _label(root: Path, parts: Sequence[tuple[str, ...]], way: tuple[str, ...]) -> str | None:
    """Return the class of a file on its way from the root, None if there are no classes.

    Raises:
        UserError: If some files are next to the classes.
    """
    classes = sorted({each[0] for each in parts if each})
    if classes and not all(parts):
        raise UserError(
            f"data.root={root} has images both next to and in its subfolders ({', '.join(classes[:3])}). "
            "Subfolders are classes: move all images into subfolders, or none."
        )
    return way[0] if way else None


def _level_of_sides(parts: Sequence[tuple[str, ...]]) -> int | None:
    """Return the depth at which all folders are called train, test or validation, None if there is none."""
    for level in (0, 1):
        if all(len(way) > level for way in parts):
            names = {way[level].lower() for way in parts}
            if names <= _SIDES.keys() | _VALIDATION and len(_sides(names)) == 2:
                return level
    return None


def _sides(names: set[str]) -> set[Side]:
    """Return the parts that folders of these names make; a validation part stands in for a test part."""
    sides = {_SIDES[name] for name in names & _SIDES.keys()}
    return sides | {"test"} if names & _VALIDATION else sides


def _refuse_half_split(root: Path, parts: Sequence[tuple[str, ...]]) -> None:
    """Raise `UserError` if folders `train` and `test` would become classes among others."""
    names = {way[0] for way in parts if way}
    sides = sorted(name for name in names if name.lower() in _SIDES)
    if len(_sides({name.lower() for name in sides})) == 2:
        others = sorted(names - set(sides))
        raise UserError(
            f"data.root={root} has {' and '.join(sides)} next to {', '.join(others[:3]) or 'images'}. "
            f"Move {'the rest' if others else 'the images'} away, or set data.root={root / sides[0]}."
        )


def _split_images(root: Path, files: Sequence[Path], parts: Sequence[tuple[str, ...]], level: int) -> list[FolderImage]:
    """Return the images of a folder that has a training and a test part at a depth of 0 or 1."""
    names = {way[level].lower() for way in parts}
    has_test = "test" in {_SIDES.get(name) for name in names}
    rest = [way[:level] + way[level + 1 :] for way in parts]
    images, unused = [], 0
    for file, way, classes in zip(files, parts, rest, strict=True):
        name = way[level].lower()
        if name in _VALIDATION and has_test:
            unused += 1
            continue
        images.append(FolderImage(file, _label(root, rest, classes), _SIDES.get(name, "test")))
    counts = Counter(image.side for image in images)
    note(
        f"{root} has its own split, which is used in place of data.test_fraction: "
        f"{counts['train']} training and {counts['test']} test images"
        + (f"; {unused} validation images are left out" if unused else "")
    )
    return images
