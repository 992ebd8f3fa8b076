"""Gaussians on a line: points in one dimension, where distances between distributions are known exactly.

Paper: Goodfellow et al. 2014, "Generative Adversarial Networks", figure 1, shows a GAN on such points; the numbers here
are our own.
"""

from typing import Literal

import torch
from pydantic import Field

from sandbox.config.numbers import Channels, Count, Positive
from sandbox.core.rng import Rng
from sandbox.data._points import sample_mixture
from sandbox.interfaces.dataset import DataConfig, DataSet, Mixture
from sandbox.interfaces.runs import OtherRuns


class GaussianLineConfig(DataConfig, Mixture):
    """Options of Gaussians on a line (after Goodfellow et al. 2014)."""

    name: Literal["gaussian_line"] = "gaussian_line"
    num_modes: Channels = Field(1, description="number of modes, centered around 0")
    spacing: Positive = Field(2.0, description="distance of neighboring modes on the line")
    deviation: Positive = Field(0.5, description="standard deviation of a mode on the line")
    extent: Positive = Field(5.0, description="a point x of the line is 1/2 + x / (2 extent) in the data")
    count: Count = Field(50_000, description="number of training points")
    test_count: Count = Field(10_000, description="number of test points")

    def centers(self) -> torch.Tensor:
        """Return the means of the modes in [0, 1], [K, 1]."""
        line = (torch.arange(self.num_modes) - (self.num_modes - 1) / 2) * self.spacing
        return 0.5 + line[:, None] / (2 * self.extent)

    def spread(self) -> float:
        """Return the standard deviation of a mode in [0, 1]."""
        return self.deviation / (2 * self.extent)

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Draw points [N, 1]; labels are the modes, from left to right."""
        generator = rng.torch("gaussian_line", torch.device("cpu"))
        return sample_mixture(self.centers(), self.spread(), self.count, self.test_count, generator)
