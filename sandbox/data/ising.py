"""Samples of the two-dimensional Ising model at a temperature: black and white with correlations at every distance.

Paper: Ising 1925; Onsager 1944 for the critical temperature, 2.269; sampled by whole clusters (Swendsen & Wang 1987,
"Nonuniversal critical dynamics in Monte Carlo simulations"), which settle in tens of sweeps at any temperature.
"""

from typing import Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt

from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns
from sandbox.ops import ising


class IsingConfig(DataConfig):
    """`size`: spins a side, edges are periodic; `temperature` in units of the coupling; `sweeps` of each sample.

    Every sample is a lattice of its own, from a random start, so they are independent of each other.
    """

    name: Literal["ising"] = "ising"
    size: int = Field(12, ge=2, le=256)
    temperature: PositiveFloat = ising.CRITICAL_TEMPERATURE
    count: PositiveInt = 2_000
    test_count: PositiveInt = 500
    sweeps: PositiveInt = 30

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """[N, 1, size, size], 0 (down) and 255 (up)."""
        generator = rng.torch("ising", torch.device("cpu"))
        shape = (self.count + self.test_count, self.size, self.size)
        s = torch.randint(2, shape, generator=generator, dtype=torch.int8) * 2 - 1
        for _ in range(self.sweeps):
            s = ising.swendsen_wang(s, self.temperature, generator)
        images = (s > 0).to(torch.uint8)[:, None] * 255
        return DataSet(images[: self.count], images[self.count :], binary=True)
