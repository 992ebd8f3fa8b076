"""Variational autoencoder: a network encodes images to a Gaussian of codes, and another decodes samples of it.

Paper: Kingma & Welling 2014, "Auto-Encoding Variational Bayes".
Deviations: the decoder is a linear layer; Adam instead of Adagrad.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.capabilities import HasReconstruction
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.inputs import as_float
from sandbox.networks.mlp import MLP
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig


class MyGeneratorConfig(GeneratorConfig):
    """Options of this generator."""

    name: Literal["my_generator"] = "my_generator"
    backbone: AnyBackbone = Field(MLP(hidden=[256]), description="network of the encoder")
    latent_size: int = Field(16, ge=1, le=10_000, description="size of the code, Z")
    optimizer: AnyOptimizer = Field(Adam(lr=1e-3), description="update rule of all weights")
    stream: ShuffledConfig = Field(ShuffledConfig(batch_size=64), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "MyGenerator":
        """Build the generator."""
        return MyGenerator(self, spec, rng, compute)


class Network(nn.Module):
    """Images [B, C, H, W] -> means and log-variances of codes [B, 2 Z], and codes [B, Z] -> logits of pixels."""

    def __init__(self, config: MyGeneratorConfig, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = config.backbone.make(shape)
        self.posterior = nn.Linear(self.encoder.out_features, 2 * config.latent_size)
        self.decoder = nn.Linear(config.latent_size, torch.Size(shape).numel())


class MyGenerator(Generator, HasReconstruction):
    """A generator of images, uint8 or floats in [0, 1], [B, C, H, W]."""

    def __init__(self, config: MyGeneratorConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._shape, self._size, self._device = spec.shape, config.latent_size, compute.device
        with rng.initializing("network"):
            self._network = Network(config, spec.shape).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._noise = rng.torch("noise", compute.device)
        self._samples = rng.torch("samples", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Take one step up the evidence lower bound; returns `loss`, minus the bound in nats per image."""
        x = as_float(batch.to(self._device))
        mean, log_variance = self._encode(x)
        noise = torch.randn(mean.shape, generator=self._noise, device=self._device)
        logits = self._decode(mean + (log_variance / 2).exp() * noise)
        error = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
        self._optimizer.minimize(error + divergence)
        return {"loss": (error + divergence).detach(), "divergence": divergence.detach()}

    def parts(self) -> dict[str, Stateful]:
        """Return the network and the optimizer; the run saves the random streams."""
        return {"network": self._network, "optimizer": self._optimizer}

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Decode codes drawn from the prior, [count, C, H, W]."""
        codes = torch.randn(count, self._size, generator=self._samples, device=self._device)
        return torch.sigmoid(self._decode(codes))

    @torch.no_grad()
    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Decode the means of the codes of images, [B, C, H, W]."""
        return torch.sigmoid(self._decode(self._encode(as_float(images.to(self._device)))[0]))

    def _encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, log_variance = self._network.posterior(self._network.encoder(x)).chunk(2, 1)
        return mean, log_variance

    def _decode(self, codes: torch.Tensor) -> torch.Tensor:
        return self._network.decoder(codes).view(-1, *self._shape)
