"""Frames of play as they are, and in other colors: two sets between which a way is to be found without pairs."""

from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field

from sandbox.core.rng import Rng
from sandbox.data._frames import played, shrunk, split
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns

_CATCH = {"name": "catch"}
_GREYS = (0, 64, 160, 255)
_COLOURS = ((16, 42, 96), (58, 140, 122), (250, 176, 62), (255, 92, 88))  # night, sea, sand and coral


class ColorsConfig(DataConfig):
    """`env`, `agent`, `count` and `test_fraction` as data.name=frames has them.

    `shrink`: frames are made so many times smaller, by averaging.
    """

    name: Literal["colors"] = "colors"
    env: dict[str, Any] = Field(default_factory=_CATCH.copy)
    agent: str = "random"
    count: int = Field(5_000, ge=3)
    test_fraction: float = Field(0.1, gt=0.0, lt=1.0)
    shrink: int = Field(1, ge=1, le=8)

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Images [N, 3, H, W] in other colors, sources [M, 3, H, W] as they are: both sides have as many channels.

        The training half has no pairs: play's earlier frames are its sources, its later ones became its images. (Catch
        has a few hundred frames, so that the same ones come in both.) In the test half the pairs are true, for the
        evaluation alone.

        Raises:
            UserError: if the environment's observations are not images of bytes.
        """
        frames = played("colors", self.env, self.agent, self.count, rng, runs)
        train, test = split(frames, self.test_fraction)
        half = len(train) // 2
        images, test_images, sources, test_sources = (
            shrunk(x, self.shrink)
            for x in (recoloured(train[half:]), recoloured(test), coloured(train[:half]), coloured(test))
        )
        return DataSet(images, test_images, train_sources=sources, test_sources=test_sources, paired=False)


def recoloured(frames: torch.Tensor) -> torch.Tensor:
    """[N, C, H, W] uint8 -> [N, 3, H, W]: each grey, the mean of the channels, has a colour of its own."""
    greys = frames.sum(1, dtype=torch.int32) // frames.shape[1]
    table = [np.interp(np.arange(256), _GREYS, channel) for channel in zip(*_COLOURS, strict=True)]
    return torch.from_numpy(np.rint(table).astype(np.uint8))[:, greys].movedim(0, 1).contiguous()


def coloured(frames: torch.Tensor) -> torch.Tensor:
    """[N, 1 or 3, H, W] -> [N, 3, H, W]: grey is as much of each colour."""
    return frames.expand(-1, 3, -1, -1).contiguous()
