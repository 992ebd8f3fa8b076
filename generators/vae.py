"""The variational autoencoder: an encoder to Gaussian latents and a decoder to Bernoulli pixels.

Paper: Kingma & Welling 2014, "Auto-Encoding Variational Bayes"; a `beta` other than 1 is Higgins et al. 2017,
    "beta-VAE". Deviations: any backbone encodes and its mirror image decodes; Adam instead of Adagrad; weights as
    PyTorch initialises them.
"""

from typing import Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import nn

from sandbox.decoders.mirror import mirror
from sandbox.device import Compute
from sandbox.generator import Estimate, GeneratorConfig
from sandbox.learner import Metrics, Spec, Stateful
from sandbox.networks.backbone import Backbone
from sandbox.networks.inputs import as_float
from sandbox.networks.mlp import MLP
from sandbox.ops import likelihood
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.seeding import Rng
from sandbox.streams.shuffled import ShuffledConfig

_TOGETHER = 100  # images whose likelihood is estimated side by side
_DECODED_TOGETHER = 512  # latents at a time while likelihoods are estimated; more is slower, it leaves the cache


class VAEConfig(GeneratorConfig):
    """`latent_size`: Z; `beta` weighs the KL; `importance_samples` for each image's likelihood."""

    name: Literal["vae"] = "vae"
    backbone: Backbone = MLP()
    latent_size: PositiveInt = 16
    beta: NonNegativeFloat = 1.0
    importance_samples: int = Field(500, ge=500)
    optimizer: AnyOptimizer = Adam()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute) -> "VAE":
        return VAE(self, spec, rng, compute)


class Network(nn.Module):
    """q(z | x) = N(mean, diag(exp(log_variance))) and p(x | z), independent Bernoulli pixels."""

    def __init__(self, config: VAEConfig, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = config.backbone.make(shape)
        self.posterior = nn.Linear(self.encoder.out_features, 2 * config.latent_size)
        self.decoder = mirror(config.backbone, config.latent_size, shape)


class VAE:
    """Images are uint8 or floats in [0, 1], [B, C, H, W]; likelihoods are nats of black-and-white images."""

    def __init__(self, config: VAEConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._compute = config, compute
        with rng.initialising("vae"):
            self._network = Network(config, spec.shape).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters())
        self._noise = rng.torch("vae/noise", compute.device)
        self._prior = rng.torch("vae/sample", compute.device)
        self._importance = rng.torch("vae/importance", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        reconstruction, kl = self._terms(batch, self._noise)
        loss = (self._config.beta * kl - reconstruction).mean()
        self._optimizer.minimise(loss)
        return {
            "loss": loss.detach(),
            "elbo": (reconstruction - kl).mean().detach(),
            "kl": kl.mean().detach(),
            "reconstruction": reconstruction.mean().detach(),
        }

    def parts(self) -> dict[str, Stateful]:
        return {"network": self._network, "optimizer": self._optimizer}

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Pixel probabilities of latents from the prior, [count, C, H, W]."""
        return self.decode(self._draw((count, self._config.latent_size), self._prior))

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """The posterior's mean, [B, Z]."""
        return self._posterior(images)[0]

    @torch.no_grad()
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """[B, Z] -> pixel probabilities [B, C, H, W]."""
        return torch.sigmoid(self._logits(z))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Pixel probabilities at the posterior's mean, [B, C, H, W]."""
        return self.decode(self.encode(images))

    @torch.no_grad()
    def bound(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The ELBO (beta = 1, one latent an image) and its KL, nats, [B] each."""
        reconstruction, kl = self._terms(images, self._importance)
        return reconstruction - kl, kl

    @torch.no_grad()
    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """`importance`: from `importance_samples` latents an image; a lower bound on average."""
        return Estimate("importance", torch.cat([self._importance_sampled(x) for x in torch.split(images, _TOGETHER)]))

    def _importance_sampled(self, images: torch.Tensor) -> torch.Tensor:
        x, (mean, log_variance) = self._floats(images), self._posterior(images)
        missing, log_weights = self._config.importance_samples, []
        while missing:
            chunk = min(missing, max(1, _DECODED_TOGETHER // len(x)))
            z = mean + (0.5 * log_variance).exp() * self._draw((chunk, *mean.shape), self._importance)
            logits = self._logits(z.flatten(0, 1)).view(chunk, *x.shape)
            prior = likelihood.gaussian_log_prob(z, torch.zeros_like(mean), torch.zeros_like(mean))
            posterior = likelihood.gaussian_log_prob(z, mean, log_variance)
            log_weights.append(likelihood.bernoulli_log_prob(logits, x) + prior - posterior)
            missing -= chunk
        return likelihood.importance_log_likelihood(torch.cat(log_weights))

    def _terms(self, images: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """log p(x | z) with one z from the posterior, and KL(q || p): [B] each, summed over pixels and latents."""
        mean, log_variance = self._posterior(images)
        z = mean + (0.5 * log_variance).exp() * self._draw(mean.shape, generator)
        reconstruction = likelihood.bernoulli_log_prob(self._logits(z), self._floats(images))
        return reconstruction, likelihood.gaussian_kl(mean, log_variance)

    def _posterior(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with self._compute.autocast():
            both = self._network.posterior(self._network.encoder(self._floats(images)))
        mean, log_variance = both.float().chunk(2, -1)
        return mean, log_variance

    def _logits(self, z: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            logits = self._network.decoder(z)
        return logits.float()

    def _floats(self, images: torch.Tensor) -> torch.Tensor:
        return as_float(images.to(self._compute.device))

    def _draw(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        return torch.randn(shape, generator=generator, device=self._compute.device)
