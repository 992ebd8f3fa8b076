"""Gaussians on a line: points in one dimension, where distances between distributions are known exactly.

Paper: Goodfellow et al. 2014, "Generative Adversarial Networks", figure 1, plays the game on such points; ours.
"""

from typing import Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt

from sandbox.core.rng import Rng
from sandbox.data._points import mixture
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns


class GaussianLineConfig(DataConfig):
    """`num_modes`, `spacing` apart around 0, each of `deviation`; the line from -`extent` to `extent` is [0, 1]."""

    name: Literal["gaussian_line"] = "gaussian_line"
    num_modes: PositiveInt = 1
    spacing: PositiveFloat = 2.0
    deviation: PositiveFloat = 0.5
    extent: PositiveFloat = Field(5.0, description="a point x of the line is 1/2 + x / (2 extent) of the data")
    count: PositiveInt = 50_000
    test_count: PositiveInt = 10_000

    def centres(self) -> torch.Tensor:
        """Of the modes, in [0, 1], [K, 1]."""
        line = (torch.arange(self.num_modes) - (self.num_modes - 1) / 2) * self.spacing
        return 0.5 + line[:, None] / (2 * self.extent)

    def spread(self) -> float:
        """A mode's standard deviation in [0, 1]."""
        return self.deviation / (2 * self.extent)

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Points [N, 1] float32; labels are the modes, from left to right."""
        generator = rng.torch("gaussian_line", torch.device("cpu"))
        return mixture(self.centres(), self.spread(), self.count, self.test_count, generator)
