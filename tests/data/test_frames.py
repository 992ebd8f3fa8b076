"""Observations of a playing agent, split in time."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data.frames import FramesConfig
from sandbox.interfaces.runs import NoOtherRuns
from sandbox.runs.build import RunsIn


class Frames(NoOtherRuns):
    def frames(self, env: dict[str, Any], agent: str, count: int, rng: Rng, stack: int = 1) -> np.ndarray:
        assert env == {"name": "pong"}
        assert agent == "random"
        return np.arange(count, dtype=np.uint8)[:, None, None, None].repeat(4, 2).repeat(4, 3)


class FixedFrames(NoOtherRuns):
    def __init__(self, frames: np.ndarray) -> None:
        self._frames = frames

    def frames(self, env: dict[str, Any], agent: str, count: int, rng: Rng, stack: int = 1) -> np.ndarray:
        return self._frames


def test_the_test_set_is_the_end_of_play() -> None:
    data = FramesConfig(env={"name": "pong"}, count=20, test_fraction=0.25).make(Rng(0), Frames())
    assert data.train[:, 0, 0, 0].tolist() == list(range(15))
    assert data.test[:, 0, 0, 0].tolist() == list(range(15, 20))
    assert data.spec.shape == (1, 4, 4)
    assert not data.binary


@pytest.mark.parametrize(("fraction", "expected"), [(0.001, 1), (0.999, 2)])
def test_neither_part_is_empty(fraction: float, expected: int) -> None:
    data = FramesConfig(env={"name": "pong"}, count=3, test_fraction=fraction).make(Rng(0), Frames())
    assert len(data.test) == expected


def test_binarized() -> None:
    data = FramesConfig(env={"name": "pong"}, count=20, binarize="threshold", threshold=10).make(Rng(0), Frames())
    assert data.binary
    assert data.train[:, 0, 0, 0].tolist() == [0] * 10 + [255] * 8


def test_observations_that_are_no_images() -> None:
    config = FramesConfig(env={"name": "pong"}, count=5)
    with pytest.raises(UserError) as refused:
        config.make(Rng(0), FixedFrames(np.zeros((5, 6), np.float32)))
    assert str(refused.value) == (
        "data.env gives observations (6,) of float32, but data.name=frames needs images [C, H, W] of uint8. "
        "Choose an environment or an option with pixels, e.g. data.env.observe=pixels."
    )


def test_numbers_say_where_things_are(tmp_path: Path) -> None:
    """In Catch, the squares of ball and paddle; equal images have equal numbers, and others other ones."""
    config = FramesConfig(env={"name": "catch"}, count=300, numbers=True)
    data = config.make(Rng(3), RunsIn(tmp_path))
    numbers = torch.cat([data.train_numbers, data.test_numbers])
    images = torch.cat([data.train, data.test])
    assert numbers.shape == (300, 50)
    assert data.spec.num_numbers == 50
    assert len(data.train_numbers) == len(data.train)
    same = FramesConfig(env={"name": "catch"}, count=300).make(Rng(3), RunsIn(tmp_path))
    assert torch.equal(same.train, data.train)
    assert same.spec.num_numbers == 0
    for i in range(300):
        alike = (images == images[i]).all((1, 2, 3))
        assert torch.equal(alike, (numbers == numbers[i]).all(1))


def test_numbers_of_an_environment_with_wrappers(tmp_path: Path) -> None:
    config = FramesConfig(env={"name": "catch", "wrappers": [{"flicker": {}}]}, count=32, numbers=True)
    with pytest.raises(UserError, match="numbers off the environment itself"):
        config.make(Rng(0), RunsIn(tmp_path))
