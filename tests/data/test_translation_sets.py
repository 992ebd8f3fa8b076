"""Image translation sets: source images belong to their images if paired, and share no frame with them otherwise."""

from typing import Any

import numpy as np
import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data._frames import shrink
from sandbox.data.colors import ColorsConfig, recolored
from sandbox.data.edges import EdgesConfig
from sandbox.interfaces.runs import NoOtherRuns
from sandbox.ops.images import edge_map


class Frames(NoOtherRuns):
    def frames(self, env: dict[str, Any], agent: str, count: int, rng: Rng, stack: int = 1) -> np.ndarray:
        """Return frames; frame t is black except for a square of 4 x 4 pixels with the gray value 100 + t."""
        frames = np.zeros((count, 1, 12, 12), np.uint8)
        frames[:, :, 4:8, 2:6] = 100 + np.arange(count)[:, None, None, None]
        return frames


class FixedFrames(NoOtherRuns):
    def __init__(self, frames: np.ndarray) -> None:
        self._frames = frames

    def frames(self, env: dict[str, Any], agent: str, count: int, rng: Rng, stack: int = 1) -> np.ndarray:
        return self._frames


def test_edges_by_hand() -> None:
    """All neighbors of a bright pixel are edges; a difference below the threshold is no edge."""
    images = torch.zeros(2, 1, 4, 5, dtype=torch.uint8)
    images[0, 0, 1, 1] = 40
    images[1, 0, :, 3:] = 39
    marked = edge_map(images, 40)
    assert marked[0, 0].tolist() == [[255] * 3 + [0] * 2] * 3 + [[0] * 5]
    assert (marked[1] == 0).all()
    assert edge_map(images, 39)[1, 0].tolist() == [[0, 0, 255, 255, 0]] * 4
    colors = torch.zeros(1, 3, 3, 3, dtype=torch.uint8)
    colors[:, 2, :, :1] = 50  # blue alone
    assert edge_map(colors, 50).tolist() == [[[[255, 255, 0]] * 3]]


def test_each_frame_has_its_own_edges() -> None:
    data = EdgesConfig(count=20, test_fraction=0.25).make(Rng(0), Frames())
    assert data.paired
    assert (data.spec.shape, data.spec.source_shape) == ((1, 12, 12), (1, 12, 12))
    assert data.train_sources is not None
    assert data.test_sources is not None
    assert torch.equal(data.train_sources, edge_map(data.train, 32))
    assert torch.equal(data.test_sources, edge_map(data.test, 32))
    assert data.test.amax((1, 2, 3)).tolist() == list(range(115, 120))
    assert (data.test_sources[0, 0, 5:7, 3:5] == 0).all()  # no edges inside of the square


def test_shrunk_by_averaging() -> None:
    frames = torch.tensor([[0, 2, 9], [4, 6, 9], [9, 9, 9]], dtype=torch.uint8).view(1, 1, 3, 3)
    assert shrink(frames, 2).tolist() == [[[[3]]]]
    assert shrink(frames, 1) is frames
    assert EdgesConfig(count=20, shrink=2).make(Rng(0), Frames()).spec.source_shape == (1, 6, 6)


def test_recoloring_by_hand() -> None:
    frames = torch.tensor([0, 64, 112, 255], dtype=torch.uint8).view(1, 1, 1, 4)
    red, green, blue = recolored(frames)[0, :, 0].tolist()
    assert (red, green, blue) == ([16, 58, 154, 255], [42, 140, 158, 92], [96, 122, 92, 88])
    assert torch.equal(recolored(frames.expand(-1, 3, -1, -1)), recolored(frames))


def test_no_frame_is_on_both_sides_in_training_and_every_one_in_the_test_half() -> None:
    data = ColorsConfig(count=20, test_fraction=0.25).make(Rng(0), Frames())
    assert not data.paired
    assert (data.spec.shape, data.spec.source_shape) == ((3, 12, 12), (3, 12, 12))
    assert data.train_sources is not None
    assert data.test_sources is not None
    assert torch.equal(data.train_sources[:, 0], data.train_sources[:, 2])
    assert data.train_sources.amax((1, 2, 3)).tolist() == list(range(100, 107))
    later = torch.from_numpy(Frames().frames({}, "", 20, Rng(0)))[7:15]
    assert torch.equal(data.train, recolored(later))
    assert torch.equal(data.test, recolored(data.test_sources))


@pytest.mark.parametrize(("name", "config"), [("edges", EdgesConfig(count=5)), ("colors", ColorsConfig(count=5))])
def test_observations_that_are_no_images(name: str, config: EdgesConfig | ColorsConfig) -> None:
    with pytest.raises(UserError) as refused:
        config.make(Rng(0), FixedFrames(np.zeros((5, 6), np.float32)))
    assert str(refused.value) == (
        f"data.env gives observations (6,) of float32, but data.name={name} needs images [C, H, W] of uint8. "
        "Choose an environment or an option with pixels, e.g. data.env.observe=pixels."
    )
