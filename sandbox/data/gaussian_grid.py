"""Gaussians on a grid: 25 small modes in the plane; generative models tend to lose some of them.

Paper: Dumoulin et al. 2017, "Adversarially Learned Inference"; with the numbers of Lin et al. 2018, "PacGAN": a grid of
5 x 5 from -4 to 4, with standard deviation 0.05.
"""

from typing import Literal

import torch
from pydantic import Field, PositiveInt

from sandbox.config.numbers import Count, Positive
from sandbox.core.rng import Rng
from sandbox.data._points import sample_mixture
from sandbox.interfaces.dataset import DataConfig, DataSet, Mixture
from sandbox.interfaces.runs import OtherRuns


class GaussianGridConfig(DataConfig, Mixture):
    """Options of Gaussians on a grid (Dumoulin et al. 2017)."""

    name: Literal["gaussian_grid"] = "gaussian_grid"
    side: PositiveInt = Field(5, le=100, description="modes per side of the grid")
    spacing: Positive = Field(2.0, description="distance of neighboring modes in the plane")
    deviation: Positive = Field(0.05, description="standard deviation of a mode in the plane")
    extent: Positive = Field(5.0, description="a coordinate x of the plane is 1/2 + x / (2 extent) in the data")
    count: Count = Field(50_000, description="number of training points")
    test_count: Count = Field(10_000, description="number of test points")

    def centers(self) -> torch.Tensor:
        """Return the means of the modes in the unit square, [K, 2]."""
        line = (torch.arange(self.side) - (self.side - 1) / 2) * self.spacing
        return 0.5 + torch.cartesian_prod(line, line).view(-1, 2) / (2 * self.extent)

    def spread(self) -> float:
        """Return the standard deviation of a mode in the unit square."""
        return self.deviation / (2 * self.extent)

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Draw points [N, 2]; labels are the modes, column by column from the lower left."""
        generator = rng.torch("gaussian_grid", torch.device("cpu"))
        return sample_mixture(self.centers(), self.spread(), self.count, self.test_count, generator)
