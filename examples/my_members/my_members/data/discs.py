"""Discs: white discs of random radius at random places on black, with soft edges."""

from typing import Literal

import torch
from pydantic import Field

from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns


class DiscsConfig(DataConfig):
    """Options of discs."""

    name: Literal["discs"] = "discs"
    size: int = Field(16, ge=8, le=128, description="height and width of an image in pixels")
    count: int = Field(2_000, ge=2, le=100_000, description="number of training images")
    test_count: int = Field(500, ge=2, le=100_000, description="number of test images")

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Draw images [N, 1, size, size], uint8."""
        generator = rng.torch("discs", torch.device("cpu"))
        row, column, radius = torch.rand(3, self.count + self.test_count, 1, 1, generator=generator)
        line = torch.linspace(-1, 1, self.size)
        distance = ((line[:, None] - row + 0.5).square() + (line - column + 0.5).square()).sqrt()
        brightness = ((0.2 + 0.3 * radius - distance) * self.size / 2 + 0.5).clamp(0, 1)
        images = (255 * brightness).to(torch.uint8)[:, None]
        return DataSet(images[: self.count], images[self.count :])
