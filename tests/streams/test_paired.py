"""Pairs stay pairs, and where there are none no pair is told; both go on where they were."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.paired import PairedConfig
from sandbox.streams.unpaired import UnpairedConfig

IMAGES = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1)
PAIRS = DataSet(IMAGES, IMAGES[:1], train_sources=IMAGES + 100, test_sources=IMAGES[:1] + 100)
SOURCES = torch.arange(100, 106, dtype=torch.uint8).view(6, 1, 1, 1)
NO_PAIRS = replace(PAIRS, train_sources=SOURCES, paired=False)


def make(config: StreamConfig, data: DataSet, rng: Rng) -> Any:
    return config.make(data, None, rng, choose("cpu"))


def take(stream: Any, count: int) -> list[list[list[int]]]:
    return [[part.flatten().tolist() for part in next(stream)] for _ in range(count)]


def test_each_image_comes_with_its_source() -> None:
    stream = make(PairedConfig(batch_size=5), PAIRS, Rng(0))
    (images, sources), (more, _) = take(stream, 2)
    assert sorted(images + more) == list(range(10))
    assert sources == [image + 100 for image in images]


def test_orders_have_nothing_to_do_with_each_other() -> None:
    """Both have the same length, so that one order for both would show."""
    stream = make(UnpairedConfig(batch_size=10), PAIRS, Rng(0))
    batches = take(stream, 50)
    assert all(sorted(images) == [source - 100 for source in sorted(sources)] for images, sources in batches)
    told = sum(
        image + 100 == source for images, sources in batches for image, source in zip(images, sources, strict=True)
    )
    assert 25 < told < 80  # one in ten by chance: 50 of 500


def test_each_has_epochs_of_its_own_length() -> None:
    stream = make(UnpairedConfig(batch_size=3), NO_PAIRS, Rng(0))
    batches = take(stream, 6)
    assert (stream.step, stream.metrics()) == (6, {"data/epoch": 2.0})
    for i in range(3):
        assert sorted(batches[2 * i][1] + batches[2 * i + 1][1]) == list(range(100, 106))
    for i in range(2):
        assert len({image for images, _ in batches[3 * i : 3 * i + 3] for image in images}) == 9


@pytest.mark.parametrize(
    ("config", "data"), [(PairedConfig(batch_size=3), PAIRS), (UnpairedConfig(batch_size=3), NO_PAIRS)]
)
@pytest.mark.parametrize("done", [0, 1, 2, 3, 5])
def test_restored_in_the_middle_it_goes_on(config: StreamConfig, data: DataSet, done: int) -> None:
    rng = Rng(3)
    whole = make(config, data, rng)
    take(whole, done)
    states, randomness = {name: part.state_dict() for name, part in whole.parts().items()}, rng.state_dict()
    rest = take(whole, 9)
    other = Rng(3)
    resumed = make(config, data, other)
    take(resumed, 4)
    for name, part in resumed.parts().items():
        part.load_state_dict(states[name])
    other.load_state_dict(randomness)
    assert resumed.step == done
    assert take(resumed, 9) == rest


@pytest.mark.parametrize("data", [NO_PAIRS, DataSet(IMAGES, IMAGES)])
def test_no_pairs(data: DataSet) -> None:
    with pytest.raises(UserError) as refused:
        make(PairedConfig(batch_size=3), data, Rng(0))
    assert str(refused.value) == (
        "this generator learns from pairs, but these data do not say which source belongs to which image. "
        "Take a set that does, e.g. data.name=edges, or generator.name=cyclegan, which needs no pairs."
    )


def test_no_sources() -> None:
    with pytest.raises(UserError) as refused:
        make(UnpairedConfig(batch_size=3), DataSet(IMAGES, IMAGES), Rng(0))
    assert str(refused.value) == (
        "this generator learns from images and sources, but these data have images only. "
        "Take a set with both, e.g. data.name=colors or data.name=edges."
    )


def test_fewer_sources_than_a_batch() -> None:
    with pytest.raises(UserError, match="batch_size=8 is more than the 6 training images"):
        make(UnpairedConfig(batch_size=8), NO_PAIRS, Rng(0))
    assert make(UnpairedConfig(batch_size=6), NO_PAIRS, Rng(0)).step == 0
