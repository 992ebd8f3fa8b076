"""Gaussians on a ring: points in the plane, the plainest test of whether a model covers all modes.

Paper: Metz et al. 2017, "Unrolled Generative Adversarial Networks", appendix A: eight, of deviation 0.02, on a circle
of radius 2.
"""

import math
from typing import Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt

from sandbox.core.rng import Rng
from sandbox.data._points import mixture
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns


class GaussianRingConfig(DataConfig):
    """`modes` on a circle of `radius`, each of `deviation`; the plane from -`extent` to `extent` is the unit square."""

    name: Literal["gaussian_ring"] = "gaussian_ring"
    modes: PositiveInt = 8
    radius: PositiveFloat = 2.0
    deviation: PositiveFloat = 0.02
    extent: PositiveFloat = Field(2.5, description="a point x of the plane is 1/2 + x / (2 extent) of the data")
    count: PositiveInt = 50_000
    test_count: PositiveInt = 10_000

    def centres(self) -> torch.Tensor:
        """Of the modes, in the unit square, [K, 2]."""
        angles = torch.arange(self.modes) * (2 * math.pi / self.modes)
        return 0.5 + self.radius * torch.stack([angles.cos(), angles.sin()], 1) / (2 * self.extent)

    def spread(self) -> float:
        """A mode's standard deviation in the unit square."""
        return self.deviation / (2 * self.extent)

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Points [N, 2] float32; labels are the modes, counted from the right against the clock."""
        generator = rng.torch("gaussian_ring", torch.device("cpu"))
        return mixture(self.centres(), self.spread(), self.count, self.test_count, generator)
