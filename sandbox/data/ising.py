"""Samples of the two-dimensional Ising model: black-and-white images with correlations at every distance.

Paper: Ising 1925; Onsager 1944 for the critical temperature, 2.269; cluster sampling by Swendsen & Wang 1987,
"Nonuniversal critical dynamics in Monte Carlo simulations", which converges in tens of sweeps at any temperature. Every
sample is a lattice of its own with a random start, so samples are independent of each other.
"""

from typing import Literal, Self

import torch
from pydantic import Field, model_validator

from sandbox.config.numbers import Length, NumImages, Positive
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns
from sandbox.ops import ising

_MOST_WORK = 300_000_000  # visits of a spin, a few minutes


class IsingConfig(DataConfig):
    """Options of Ising samples (Ising 1925; Swendsen & Wang 1987)."""

    name: Literal["ising"] = "ising"
    size: int = Field(12, ge=2, le=256, description="spins per side of the lattice; its edges are periodic")
    temperature: Positive = Field(ising.CRITICAL_TEMPERATURE, description="temperature in units of the coupling")
    count: NumImages = Field(2_000, description="number of training images")
    test_count: NumImages = Field(500, description="number of test images")
    sweeps: Length = Field(30, description="Swendsen-Wang sweeps per sample")

    @model_validator(mode="after")
    def _check_work(self) -> Self:
        work = self.size**2 * (self.count + self.test_count) * self.sweeps
        if work > _MOST_WORK:
            raise ValueError(
                f"size^2 * (count + test_count) * sweeps is {work:_} visits of a spin, more than {_MOST_WORK:_}, which "
                "would take hours; lower one of them"
            )
        return self

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Sample images [N, 1, size, size], with 0 for spin down and 255 for spin up."""
        generator = rng.torch("ising", torch.device("cpu"))
        shape = (self.count + self.test_count, self.size, self.size)
        s = torch.randint(2, shape, generator=generator, dtype=torch.int8) * 2 - 1
        for _ in range(self.sweeps):
            s = ising.swendsen_wang(s, self.temperature, generator)
        images = (s > 0).to(torch.uint8)[:, None] * 255
        return DataSet(images[: self.count], images[self.count :], binary=True)
