"""Gaussians on a ring: points in the plane, the simplest test of whether a model covers all modes.

Paper: Metz et al. 2017, "Unrolled Generative Adversarial Networks", appendix A: eight modes with standard deviation
0.02 on a circle of radius 2.
"""

import math
from typing import Literal

import torch
from pydantic import Field

from sandbox.config.numbers import Channels, Count, Positive
from sandbox.core.rng import Rng
from sandbox.data._points import sample_mixture
from sandbox.interfaces.dataset import DataConfig, DataSet, Mixture
from sandbox.interfaces.runs import OtherRuns


class GaussianRingConfig(DataConfig, Mixture):
    """Options of Gaussians on a ring (Metz et al. 2017)."""

    name: Literal["gaussian_ring"] = "gaussian_ring"
    modes: Channels = Field(8, description="number of modes")
    radius: Positive = Field(2.0, description="radius of the circle in the plane")
    deviation: Positive = Field(0.02, description="standard deviation of a mode in the plane")
    extent: Positive = Field(2.5, description="a coordinate x of the plane is 1/2 + x / (2 extent) in the data")
    count: Count = Field(50_000, description="number of training points")
    test_count: Count = Field(10_000, description="number of test points")

    def centers(self) -> torch.Tensor:
        """Return the means of the modes in the unit square, [K, 2]."""
        angles = torch.arange(self.modes) * (2 * math.pi / self.modes)
        return 0.5 + self.radius * torch.stack([angles.cos(), angles.sin()], 1) / (2 * self.extent)

    def spread(self) -> float:
        """Return the standard deviation of a mode in the unit square."""
        return self.deviation / (2 * self.extent)

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Draw points [N, 2]; labels are the modes, counterclockwise from the right."""
        generator = rng.torch("gaussian_ring", torch.device("cpu"))
        return sample_mixture(self.centers(), self.spread(), self.count, self.test_count, generator)
