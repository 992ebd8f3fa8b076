"""The variational autoencoder: an encoder to Gaussian latents and a decoder to Bernoulli pixels.

Paper: Kingma & Welling 2014, "Auto-Encoding Variational Bayes"; a `beta` other than 1 is Higgins et al. 2017,
    "beta-VAE"; more than one of `bound_samples` is Burda et al. 2016, "Importance Weighted Autoencoders". Deviations:
    any backbone encodes and its mirror image decodes; Adam instead of Adagrad; weights as PyTorch initialises them.
"""

from typing import Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._images.binary import refuse_grey
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.generator import Estimate, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import Backbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.inputs import as_pixels
from sandbox.networks.mlp import MLP
from sandbox.ops import likelihood
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig

_DECODED_TOGETHER = 1_024  # latents at a time while likelihoods are estimated; more is slower, it leaves the cache
_IMAGES_TOGETHER = 64  # of the same; each is decoded 16 times in one go


class VAEConfig(GeneratorConfig):
    """`latent_size`: Z; `beta` weighs the KL; `importance_samples` for each image's likelihood.

    `bound_samples`: K latents an image in the bound that is trained; 1: the ELBO, more: tighter, at K times the work.
    """

    name: Literal["vae"] = "vae"
    backbone: Backbone = MLP()
    latent_size: PositiveInt = 16
    beta: NonNegativeFloat = 1.0
    bound_samples: PositiveInt = 1
    importance_samples: int = Field(500, ge=500)
    optimizer: AnyOptimizer = Adam()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "VAE":
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
        with rng.initializing("vae"):
            self._network = Network(config, image_shape(spec, "vae")).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._noise = rng.torch("vae/noise", compute.device)
        self._prior = rng.torch("vae/sample", compute.device)
        self._importance = rng.torch("vae/importance", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        samples, beta = self._config.bound_samples, self._config.beta
        posterior = self._posterior(batch)
        reconstruction, ratio = self._weigh(self._floats(batch), posterior, samples, self._noise)
        kl = ratio if samples > 1 else likelihood.gaussian_kl(*posterior)  # the same on average, without the noise
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
        """The ELBO (beta = 1, one latent an image) and its KL, nats, [B] each.

        Raises:
            UserError: for grey images.
        """
        posterior = self._posterior(images)
        reconstruction, _ = self._weigh(self._black_and_white(images), posterior, 1, self._importance)
        kl = likelihood.gaussian_kl(*posterior)
        return reconstruction[0] - kl, kl

    @torch.no_grad()
    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """`importance`: from `importance_samples` latents an image; a lower bound on average.

        Raises:
            UserError: for grey images.
        """
        return Estimate("importance", torch.cat([self._estimate(x) for x in torch.split(images, _IMAGES_TOGETHER)]))

    def _estimate(self, images: torch.Tensor) -> torch.Tensor:
        x, posterior = self._black_and_white(images), self._posterior(images)
        missing, log_weights = self._config.importance_samples, []
        while missing:
            samples = min(missing, _DECODED_TOGETHER // len(images))
            reconstruction, ratio = self._weigh(x, posterior, samples, self._importance)
            log_weights.append(reconstruction - ratio)
            missing -= samples
        return likelihood.importance_log_likelihood(torch.cat(log_weights))

    def _weigh(
        self, x: torch.Tensor, posterior: tuple[torch.Tensor, torch.Tensor], samples: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """log p(x | z) and log q(z | x) / p(z) of latents from the posterior: [samples, B] each, of x [B, C, H, W].

        The first minus the second is the log of the importance weight; the second is the KL on average.
        """
        mean, log_variance = posterior
        z = mean + (0.5 * log_variance).exp() * self._draw((samples, *mean.shape), generator)
        reconstruction = likelihood.bernoulli_log_prob(self._logits(z.flatten(0, 1)).view(samples, *x.shape), x)
        zero = torch.zeros_like(mean)
        ratio = likelihood.gaussian_log_prob(z, mean, log_variance) - likelihood.gaussian_log_prob(z, zero, zero)
        return reconstruction, ratio

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
        return as_pixels(images, self._compute.device)

    def _black_and_white(self, images: torch.Tensor) -> torch.Tensor:
        x = self._floats(images)
        refuse_grey(x, "generator.name=vae has likelihoods of black and white only")
        return x

    def _draw(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        return torch.randn(shape, generator=generator, device=self._compute.device)
