"""Gaussians on a grid: 25 small modes in the plane, which models lose one after the other.

Paper: Dumoulin et al. 2017, "Adversarially Learned Inference"; with the figures of Lin et al. 2018, "PacGAN": a grid
of 5 x 5 from -4 to 4, of deviation 0.05.
"""

from typing import Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt

from sandbox.core.rng import Rng
from sandbox.data._points import mixture
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns


class GaussianGridConfig(DataConfig):
    """`side` x `side` modes, `spacing` apart around 0; the plane from -`extent` to `extent` is the unit square."""

    name: Literal["gaussian_grid"] = "gaussian_grid"
    side: PositiveInt = 5
    spacing: PositiveFloat = 2.0
    deviation: PositiveFloat = 0.05
    extent: PositiveFloat = Field(5.0, description="a point x of the plane is 1/2 + x / (2 extent) of the data")
    count: PositiveInt = 50_000
    test_count: PositiveInt = 10_000

    def centres(self) -> torch.Tensor:
        """Of the modes, in the unit square, [K, 2]."""
        line = (torch.arange(self.side) - (self.side - 1) / 2) * self.spacing
        return 0.5 + torch.cartesian_prod(line, line).view(-1, 2) / (2 * self.extent)

    def spread(self) -> float:
        """A mode's standard deviation in the unit square."""
        return self.deviation / (2 * self.extent)

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Points [N, 2] float32; labels are the modes, column by column from the lower left."""
        generator = rng.torch("gaussian_grid", torch.device("cpu"))
        return mixture(self.centres(), self.spread(), self.count, self.test_count, generator)
