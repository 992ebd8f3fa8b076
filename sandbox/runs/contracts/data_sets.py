"""Contracts of data sets."""

from collections.abc import Callable

import numpy as np
import torch

from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.runs.contracts.broken import require

Make = Callable[[Rng], DataSet]
_SEED = 7


def both_parts_are_images_or_points(make: Make) -> None:
    """Check types, shapes and values of training and test set."""
    data = make(Rng(_SEED))
    for name, part in (("train", data.train), ("test", data.test)):
        require(len(part) > 0, f"`{name}` is empty")
        _require_kind(name, part)
    require(
        data.train.shape[1:] == data.test.shape[1:] and data.train.dtype == data.test.dtype,
        f"`train` has items {_kind(data.train)}, `test` has items {_kind(data.test)}",
    )
    if data.binary:
        require(data.train.dtype == torch.uint8, "`binary` is true, so items must be bytes")
        values = np.unique(torch.cat([data.train.flatten(), data.test.flatten()])).tolist()
        wrong = [value for value in values if value not in (0, 255)]
        require(not wrong, f"`binary` is true, so all bytes must be 0 or 255, but there are {wrong[:3]}")


def labels_are_classes(make: Make) -> None:
    """Check that both parts are labeled, or none; labels count from 0."""
    data = make(Rng(_SEED))
    labels = (data.train_labels, data.test_labels)
    require((labels[0] is None) == (labels[1] is None), "label both `train` and `test`, or none")
    for name, items, given in (("train", data.train, labels[0]), ("test", data.test, labels[1])):
        if given is None:
            continue
        require(
            given.shape == (len(items),) and given.dtype == torch.int64,
            f"`{name}_labels` must be int64 of shape ({len(items)},), got {_kind(given)} with {len(given)} rows",
        )
        low, high = int(given.min()), int(given.max())
        require(
            low >= 0 and high < data.spec.num_classes,
            f"`{name}_labels` go from {low} to {high}, but there are {data.spec.num_classes} classes, from 0 on",
        )


def source_images_fit(make: Make) -> None:
    """Check source images: bytes, of both parts, as many as images where they are paired."""
    data = make(Rng(_SEED))
    sources = (data.train_sources, data.test_sources)
    require((sources[0] is None) == (sources[1] is None), "give source images to both parts, or to none")
    for name, items, given in (("train", data.train, sources[0]), ("test", data.test, sources[1])):
        if given is None:
            continue
        require(
            given.ndim == 4 and given.dtype == torch.uint8,
            f"`{name}_sources` must be uint8 [N, C, H, W], got {_kind(given)}",
        )
        first = given if sources[0] is None else sources[0]
        require(given.shape[1:] == first.shape[1:], "source images of `train` and `test` have different shapes")
        paired = data.paired or name == "test"
        require(
            not paired or len(given) == len(items),
            f"`{name}_sources` are {len(given)} for {len(items)} images, but they are paired",
        )


def the_seed_decides_everything(make: Make) -> None:
    """Check that two data sets of one seed are equal, whatever the global random state."""
    torch.manual_seed(1)
    first = make(Rng(_SEED))
    torch.manual_seed(2)
    again = make(Rng(_SEED))
    for name in ("train", "test", "train_labels", "test_labels", "train_sources", "test_sources"):
        one, other = vars(first)[name], vars(again)[name]
        is_same = one is other if one is None or other is None else torch.equal(one, other)
        require(
            is_same,
            f"`{name}` differs between two data sets made with the same seed; draw all random numbers from "
            "`rng.torch(...)` or `rng.numpy(...)`",
        )


def _require_kind(name: str, items: torch.Tensor) -> None:
    """Do nothing for images of bytes, or points in the unit cube.

    Raises:
        BrokenContractError: For anything else.
    """
    if items.dtype == torch.uint8:
        require(
            items.ndim == 4 and items.shape[1] in (1, 3),
            f"images in `{name}` must be uint8 [N, C, H, W] with 1 or 3 channels, got {_kind(items)}",
        )
        return
    require(
        items.ndim == 2 and items.dtype == torch.float32,
        f"`{name}` must be images, uint8 [N, C, H, W], or points, float32 [N, D]; got {_kind(items)}",
    )
    require(
        bool(((items >= 0) & (items <= 1)).all()),
        f"points in `{name}` must lie in [0, 1], they go from {items.min():.3g} to {items.max():.3g}",
    )


def _kind(items: torch.Tensor) -> str:
    shape = ", ".join(["N", *map(str, items.shape[1:])])
    return f"{str(items.dtype).removeprefix('torch.')} [{shape}]"


CONTRACTS = (
    both_parts_are_images_or_points,
    labels_are_classes,
    source_images_fit,
    the_seed_decides_everything,
)
