"""Probabilistic principal component analysis: a Gaussian whose covariance is a low-rank matrix plus equal noise.

Paper: Tipping & Bishop 1999, "Probabilistic Principal Component Analysis".
Deviations: gradient steps on the likelihood, where the paper has the solution by eigenvectors. Samples are clipped to
    [0, 1].
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn
from torch.distributions import LowRankMultivariateNormal

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig


class PPCAConfig(GeneratorConfig):
    """Options of probabilistic principal component analysis."""

    name: Literal["ppca"] = "ppca"
    latent_size: int = Field(10, ge=1, le=1_000, description="number of components, Z")
    optimizer: AnyOptimizer = Field(Adam(lr=1e-2), description="update rule of all parameters")
    stream: ShuffledConfig = Field(ShuffledConfig(batch_size=64), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "PPCA":
        """Build the generator."""
        return PPCA(self, spec, rng, compute)


class Parameters(nn.Module):
    """The mean [D], the components [D, Z] and the log-variance of the noise."""

    def __init__(self, size: int, latent_size: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.full((size,), 0.5))
        self.components = nn.Parameter(0.1 * torch.randn(size, latent_size))
        self.log_variance = nn.Parameter(torch.tensor(-2.0))


class PPCA(Generator):
    """A Gaussian over images [C, H, W] of D pixels in [0, 1]."""

    def __init__(self, config: PPCAConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._shape, self._device = spec.shape, compute.device
        with rng.initializing("parameters"):
            self._parameters = Parameters(torch.Size(spec.shape).numel(), config.latent_size).to(compute.device)
        self._optimizer = config.optimizer.make(self._parameters.parameters(), compute)
        self._samples = rng.torch("samples", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Take one step up the likelihood; returns `loss`, minus the log-density in nats per image."""
        x = as_float(batch.to(self._device)).flatten(1)
        p = self._parameters
        density = LowRankMultivariateNormal(p.mean, p.components, p.log_variance.exp().expand_as(p.mean))
        loss = -density.log_prob(x).mean()
        self._optimizer.minimize(loss)
        return {"loss": loss.detach(), "noise": (p.log_variance.detach() / 2).exp()}

    def parts(self) -> dict[str, Stateful]:
        """Return the parameters and the optimizer; the run saves the random streams."""
        return {"parameters": self._parameters, "optimizer": self._optimizer}

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Draw images [count, C, H, W], without the noise of single pixels."""
        p = self._parameters
        z = torch.randn(count, p.components.shape[1], generator=self._samples, device=self._device)
        return (p.mean + z @ p.components.T).clamp(0, 1).view(count, *self._shape)
