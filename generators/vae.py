"""The variational autoencoder: an encoder to Gaussian latents and a decoder to Bernoulli pixels.

Paper: Kingma & Welling 2014, "Auto-Encoding Variational Bayes"; a `beta` other than 1 is Higgins et al. 2017,
    "beta-VAE"; `bound_samples` above 1 is Burda et al. 2016, "Importance Weighted Autoencoders".
Deviations: any backbone encodes and its mirror image decodes; Adam instead of Adagrad; weights are initialized as
    PyTorch does.
"""

from functools import partial
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import NonNegative, NumChains, Units
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._images.binary import require_binary
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import Estimate, HasBound, HasEncoder, HasLikelihood, HasReconstruction
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.split import Split
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.inputs import as_pixels
from sandbox.networks.mlp import MLP
from sandbox.ops import likelihood
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig

_MAX_DECODED = 1_024  # latents that are decoded at a time for likelihoods; more leave the cache and are slower
_MAX_IMAGES = 64  # images at a time for likelihoods, so that each has 16 latents in one batch


class VAEConfig(GeneratorConfig):
    """Options of the variational autoencoder (Kingma & Welling 2014)."""

    name: Literal["vae"] = "vae"
    backbone: AnyBackbone = Field(MLP(), description="network of the encoder; the decoder mirrors it")
    latent_size: Units = Field(16, description="number of latents, Z")
    beta: NonNegative = Field(1.0, description="weight of the KL divergence; 1: the ELBO")
    bound_samples: NumChains = Field(
        1, description="latents for each image in the bound; above 1, an importance-weighted bound, which is tighter"
    )
    importance_samples: int = Field(
        500, ge=500, le=1_000_000, description="latents for each image that estimate its likelihood"
    )
    optimizer: AnyOptimizer = Field(Adam(), description="optimizer of the network")
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def split(self) -> Split:
        """Divide the images of a batch; the loss is their mean."""
        return Split("mean", {"generator.stream.batch_size": self.stream.batch_size})

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "VAE":
        return VAE(self, spec, rng, compute)


class VAENetwork(nn.Module):
    """q(z | x) = N(mean, diag(exp(log_variance))) and p(x | z), independent Bernoulli pixels."""

    def __init__(self, config: VAEConfig, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = config.backbone.make(shape)
        self.posterior = nn.Linear(self.encoder.out_features, 2 * config.latent_size)
        self.decoder = mirror(config.backbone, config.latent_size, shape)


class VAE(Generator, HasLikelihood, HasReconstruction, HasEncoder, HasBound):
    """A variational autoencoder.

    Images are uint8 or floats in [0, 1], [B, C, H, W]; likelihoods are those of black-and-white images, in nats.
    """

    def __init__(self, config: VAEConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._compute = config, image_shape(spec, "vae"), compute
        with rng.initializing("vae"):
            self._network = VAENetwork(config, self._shape).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._noise = rng.torch("vae/noise", compute.device)
        self._prior = rng.torch("vae/sample", compute.device)
        self._importance = rng.torch("vae/importance", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Maximize the ELBO or, with several `bound_samples`, the importance-weighted bound.

        Returns:
            `loss`: minus the bound, nats, with the KL weighted by beta; `elbo`: `reconstruction`, the log-likelihood of
            the pixels given the latents, minus `kl`.
        """
        samples, beta = self._config.bound_samples, self._config.beta
        posterior = self._posterior(batch)
        shape = (samples, *posterior[0].shape)
        noise = self._compute.processes.drawn(partial(self._gaussian_noise, generator=self._noise), shape, dim=1)
        reconstruction, log_ratio = self._sample_bound(self._floats(batch), posterior, noise)
        kl = log_ratio if samples > 1 else likelihood.gaussian_kl(*posterior)  # the closed form has less variance
        loss = -likelihood.importance_log_likelihood(reconstruction - beta * kl).mean()
        self._optimizer.minimize(loss)
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
        """Decode latents drawn from the prior to pixel probabilities, [count, C, H, W]."""
        return self.decode(self._gaussian_noise((count, self._config.latent_size), self._prior))

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the posterior's mean, [B, Z]."""
        return self._posterior(images)[0]

    @torch.no_grad()
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """Return pixel probabilities [B, C, H, W] given latents [B, Z]."""
        return torch.sigmoid(self._logits(z))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Return pixel probabilities given the posterior's mean, [B, C, H, W]."""
        return self.decode(self.encode(images))

    @torch.no_grad()
    def bound(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the ELBO (beta = 1, one latent for each image) and its KL divergence, nats, [B] each.

        Raises:
            UserError: For gray images.
        """
        posterior = self._posterior(images)
        noise = self._gaussian_noise((1, *posterior[0].shape), self._importance)
        reconstruction, _ = self._sample_bound(self._binary(images), posterior, noise)
        kl = likelihood.gaussian_kl(*posterior)
        return reconstruction[0] - kl, kl

    @torch.no_grad()
    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """Estimate by importance sampling with `importance_samples` latents for each image; a lower bound on average.

        Raises:
            UserError: For gray images.
        """
        nats = [self._importance_sampled(x) for x in torch.split(images, _MAX_IMAGES)]
        return Estimate("importance", torch.cat(nats))

    def _importance_sampled(self, images: torch.Tensor) -> torch.Tensor:
        """Return log p of each image, nats [B]."""
        x, posterior = self._binary(images), self._posterior(images)
        remaining, log_weights = self._config.importance_samples, []
        while remaining:
            samples = min(remaining, _MAX_DECODED // len(images))
            noise = self._gaussian_noise((samples, *posterior[0].shape), self._importance)
            reconstruction, log_ratio = self._sample_bound(x, posterior, noise)
            log_weights.append(reconstruction - log_ratio)
            remaining -= samples
        return likelihood.importance_log_likelihood(torch.cat(log_weights))

    def _sample_bound(
        self, x: torch.Tensor, posterior: tuple[torch.Tensor, torch.Tensor], noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw latents from the posterior; return log p(x | z) and log q(z | x) - log p(z), [samples, B] each.

        The first minus the second is the log importance weight. The mean of the second is the KL divergence.

        Args:
            x: Pixels, [B, C, H, W].
            posterior: Mean and log variance, [B, Z] each.
            noise: Normal noise of the latents, [samples, B, Z].
        """
        mean, log_variance = posterior
        z = mean + (0.5 * log_variance).exp() * noise
        reconstruction = likelihood.bernoulli_log_prob(self._logits(z.flatten(0, 1)).view(len(noise), *x.shape), x)
        zero = torch.zeros_like(mean)
        log_ratio = likelihood.gaussian_log_prob(z, mean, log_variance) - likelihood.gaussian_log_prob(z, zero, zero)
        return reconstruction, log_ratio

    def _posterior(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean and the log variance of q(z | x), [B, Z] each."""
        with self._compute.autocast():
            both = self._network.posterior(self._network.encoder(self._floats(images)))
        mean, log_variance = both.float().chunk(2, -1)
        return mean, log_variance

    def _logits(self, z: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            logits = self._network.decoder(z)
        return logits.float()

    def _floats(self, images: torch.Tensor) -> torch.Tensor:
        return as_pixels(require_shape(images, self._shape, "vae"), self._compute.device)

    def _binary(self, images: torch.Tensor) -> torch.Tensor:
        x = self._floats(images)
        require_binary(x, "generator.name=vae has likelihoods of black and white only")
        return x

    def _gaussian_noise(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        return torch.randn(shape, generator=generator, device=self._compute.device)
