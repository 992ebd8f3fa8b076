"""Estimates of a Boltzmann machine's log Z by annealed importance sampling, and the log-likelihoods that follow."""

from collections.abc import Callable
from functools import partial

import torch
from pydantic import Field

from sandbox.config.base import Config
from sandbox.config.numbers import Repeats
from sandbox.interfaces.capabilities import Estimate
from sandbox.ops import annealing, boltzmann, convolutional_boltzmann
from sandbox.ops.annealing import Annealed, LogPartition
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.convolutional_boltzmann import ConvRBMParameters
from sandbox.ops.units import BERNOULLI, Units

MAX_ENUMERATED_UNITS = 20  # if the smaller side has at most so many units, log Z is a sum over all its states


class Annealing(Config):
    """Annealed importance sampling between a machine and one of independent units, in both directions."""

    num_chains: int = Field(100, ge=2, le=10_000, description="chains; a single one has no standard error")
    num_temperatures: Repeats = Field(14_500, description="temperatures between the two machines")
    burn_in: Repeats = Field(
        500, description="Gibbs sweeps from the data to the samples with which the reverse direction begins"
    )

    def log_partition(
        self, rbm: RBMParameters, v: torch.Tensor, generator: torch.Generator, units: Units = BERNOULLI
    ) -> tuple[LogPartition, LogPartition]:
        """Estimate log Z from below and from above.

        Args:
            rbm: The machine.
            v: Data [B, V]; for a deep machine, pixels followed by states of the other units on the visible side.
            generator: Source of the samples.
            units: Kind of the visible units.

        Returns:
            The forward estimate, too low on average, and the reverse estimate, too high on average.
        """
        gibbs = partial(boltzmann.gibbs, rbm, generator=generator, visible=units)
        return self._from_both_ends(rbm, v, gibbs, generator, units)

    def convolutional_log_partition(
        self, rbm: ConvRBMParameters, v: torch.Tensor, generator: torch.Generator, units: Units = BERNOULLI
    ) -> tuple[LogPartition, LogPartition]:
        """Estimate log Z of a convolutional machine from below and from above; data v are [B, C, H, W]."""
        gibbs = partial(convolutional_boltzmann.gibbs, rbm, generator=generator, visible=units)
        return self._from_both_ends(rbm, v, gibbs, generator, units)

    def _from_both_ends(
        self,
        machine: Annealed,
        v: torch.Tensor,
        gibbs: Callable[[torch.Tensor, int], tuple[torch.Tensor, torch.Tensor]],
        generator: torch.Generator,
        units: Units,
    ) -> tuple[LogPartition, LogPartition]:
        base = annealing.base_bias(v.mean(0), units)
        betas = annealing.inverse_temperatures(self.num_temperatures)
        forward = annealing.forward_log_partition(machine, base, betas, self.num_chains, generator, units)
        rows = torch.arange(self.num_chains, device=v.device) % len(v)
        _, samples = gibbs(v[rows], self.burn_in)
        return forward, annealing.reverse_log_partition(machine, base, betas, samples, generator, units)


def bracketed_estimate(kind: str, unnormalized: torch.Tensor, forward: LogPartition, reverse: LogPartition) -> Estimate:
    """Return the log-likelihoods by the forward estimate of log Z, with a bracket.

    The forward estimate of log Z is too low on average, so the likelihoods are too high. The bracket reaches to the
    reverse estimate, and at both ends three standard errors further.

    Args:
        kind: Name of the method.
        unnormalized: log p + log Z of each image, nats [B].
        forward: log Z from below.
        reverse: log Z from above.
    """
    low, high = max(reverse.high - forward.value, 0.0), max(forward.value - forward.low, 0.0)
    return Estimate(kind, unnormalized - forward.value, low, high)
