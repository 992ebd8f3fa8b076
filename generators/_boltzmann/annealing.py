"""How a Boltzmann machine's log Z is bracketed, and what is then known of its data."""

from typing import Annotated

import torch
from pydantic import Field, PositiveInt

from sandbox.config.base import Config
from sandbox.interfaces.generator import Estimate
from sandbox.ops import annealing, boltzmann
from sandbox.ops.annealing import LogPartition
from sandbox.ops.boltzmann import Machine
from sandbox.ops.units import BERNOULLI, Units

ENUMERATED = 20  # units of the smaller side at most whose states are all looked at: no need to anneal


class Annealing(Config):
    """`num_chains` chains through `num_temperatures` from independent units to the machine, and back again.

    The way back begins with samples: `burn_in` sweeps that start at the data.
    """

    num_chains: Annotated[int, Field(ge=2)] = 100  # one has no standard error
    num_temperatures: PositiveInt = 14_500
    burn_in: PositiveInt = 500

    def log_partition(
        self, machine: Machine, v: torch.Tensor, generator: torch.Generator, units: Units = BERNOULLI
    ) -> tuple[LogPartition, LogPartition]:
        """log Z from below and from above; v [B, V] are data (of a deep machine, with what goes with them)."""
        base, betas = annealing.base_bias(v.mean(0), units), annealing.temperatures(self.num_temperatures)
        up = annealing.upward(machine, base, betas, self.num_chains, generator, units)
        rows = torch.arange(self.num_chains, device=v.device) % len(v)
        _, samples = boltzmann.gibbs(machine, v[rows], self.burn_in, generator, units)
        return up, annealing.downward(machine, base, betas, samples, generator, units)


def estimate(kind: str, unnormalised: torch.Tensor, up: LogPartition, down: LogPartition) -> Estimate:
    """Nats [B] by the estimate of log Z from below, which flatters; the bracket reaches to the one from above.

    At both ends three standard errors further.
    """
    return Estimate(kind, unnormalised - up.value, max(down.high - up.value, 0.0), max(up.value - up.low, 0.0))
