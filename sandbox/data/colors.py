"""Observations of an agent, and the same in other colors: image translation without pairs.

The source images are unchanged observations, in gray or RGB; the images are observations in other colors. Both have
three channels. The training set has no pairs: its source images are the earlier observations, its images the later
ones. (Catch has a few hundred different observations, so most of them occur in both.) The test set is paired, for the
evaluation only.
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field

from sandbox.core.rng import Rng
from sandbox.data._frames import Agent, Env, Shrink, TestFraction, collect, shrink, split
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns

_CATCH = {"name": "catch"}
# Gray values and the colors that replace them; colors of gray values in between are interpolated.
_PART = 500  # images that are recolored at a time
_GRAYS = (0, 64, 160, 255)
_COLORS = ((16, 42, 96), (58, 140, 122), (250, 176, 62), (255, 92, 88))  # night, sea, sand and coral


class ColorsConfig(DataConfig):
    """Options of recolored observations."""

    name: Literal["colors"] = "colors"
    env: Env = Field(default_factory=_CATCH.copy)
    agent: Agent = "random"
    count: int = Field(
        5_000, ge=3, le=10_000, description="number of observations; their first half gives the source images"
    )
    test_fraction: TestFraction = 0.1
    shrink: Shrink = 1

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Let an agent play, and recolor its later observations.

        Returns:
            Images [N, 3, H, W] in other colors, and source images [M, 3, H, W] as they were observed.

        Raises:
            UserError: If the environment's observations are not images of bytes.
        """
        frames = collect("colors", self.env, self.agent, self.count, rng, runs)
        train, test = split(frames, self.test_fraction)
        half = len(train) // 2
        return DataSet(
            train=shrink(recolored(train[half:]), self.shrink),
            test=shrink(recolored(test), self.shrink),
            train_sources=shrink(as_rgb(train[:half]), self.shrink),
            test_sources=shrink(as_rgb(test), self.shrink),
            paired=False,
        )


def recolored(images: torch.Tensor) -> torch.Tensor:
    """Replace gray values (the means of the channels) by colors: [N, C, H, W] uint8 becomes [N, 3, H, W]."""
    channels = [np.interp(np.arange(256), _GRAYS, channel) for channel in zip(*_COLORS, strict=True)]
    table = torch.from_numpy(np.rint(channels).astype(np.uint8))
    colors = torch.empty(len(images), 3, *images.shape[2:], dtype=torch.uint8)
    for part, place in zip(torch.split(images, _PART), torch.split(colors, _PART), strict=True):
        grays = part.sum(1, dtype=torch.int32) // part.shape[1]
        place.copy_(table[:, grays].movedim(0, 1))
    return colors


def as_rgb(images: torch.Tensor) -> torch.Tensor:
    """Give gray images three equal channels: [N, 1 or 3, H, W] becomes [N, 3, H, W]."""
    return images.expand(-1, 3, -1, -1).contiguous()
