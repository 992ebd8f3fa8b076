"""The denoising autoencoder: it sees a damaged image and has to give the whole one.

Paper: Vincent et al. 2010, "Stacked Denoising Autoencoders: Learning Useful Representations in a Deep Network with a
    Local Denoising Criterion". Deviations: any backbone encodes to a linear code and its mirror image decodes, without
    tied weights; Adam; Gaussian noise is not cut off at black and white. Samples decode a Gaussian with the mean and
    covariance of the latest batches' codes (of damaged images): a fit, not a part of the model, whose own way to sample
    would be a long chain of damage and repair (Bengio et al. 2013).
"""

from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt

from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import Backbone
from sandbox.networks.decoders.bottleneck import Bottleneck
from sandbox.networks.inputs import as_pixels
from sandbox.networks.mlp import MLP
from sandbox.networks.moments import CodeMoments
from sandbox.ops import likelihood
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig


class Masking(Config):
    """Each pixel of each image is black with probability `fraction`."""

    name: Literal["masking"] = "masking"
    fraction: float = Field(default=0.3, ge=0.0, lt=1.0)

    def damage(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Any shape, floats, to the same."""
        return x * (torch.rand(x.shape, generator=generator, device=x.device) >= self.fraction)


class Gaussian(Config):
    """Normal noise of standard deviation `std` on every pixel; black is 0 and white 1."""

    name: Literal["gaussian"] = "gaussian"
    std: PositiveFloat = 0.3

    def damage(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Any shape, floats, to the same."""
        return x + self.std * torch.randn(x.shape, generator=generator, device=x.device)


class DenoisingAutoencoderConfig(GeneratorConfig):
    """`latent_size`: Z, the width of the code; `noise`: what happens to images before the encoder sees them."""

    name: Literal["denoising_autoencoder"] = "denoising_autoencoder"
    noise: Annotated[Masking | Gaussian, Field(discriminator="name")] = Masking()
    backbone: Backbone = MLP()
    latent_size: PositiveInt = 16
    optimizer: AnyOptimizer = Adam()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DenoisingAutoencoder":
        return DenoisingAutoencoder(self, spec, rng, compute)


class DenoisingAutoencoder:
    """Images are uint8 or floats in [0, 1], [B, C, H, W]; for grey ones the cross-entropy is no likelihood."""

    def __init__(self, config: DenoisingAutoencoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._noise, self._compute = config.noise, compute
        shape = image_shape(spec, "denoising_autoencoder")
        with rng.initializing("denoising_autoencoder"):
            self._network = Bottleneck(config.backbone, config.latent_size, shape).to(compute.device)
        self._moments = CodeMoments(config.latent_size).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._damage = rng.torch("denoising_autoencoder/damage", compute.device)
        self._prior = rng.torch("denoising_autoencoder/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """`loss`: the cross-entropy with the clean image, summed over pixels; `reconstruction_error`: squared, a pixel.

        Both are of damaged images; `sandbox evaluate` has the error of whole ones.
        """
        x = as_pixels(batch, self._compute.device)
        codes = self._codes(self._noise.damage(x, self._damage))
        logits = self._logits(codes)
        loss = -likelihood.bernoulli_log_prob(logits, x).mean()
        self._optimizer.minimize(loss)
        self._moments.add(codes.detach())
        error = (torch.sigmoid(logits.detach()) - x).square().mean()
        return {"loss": loss.detach(), "reconstruction_error": error}

    def parts(self) -> dict[str, Stateful]:
        return {"network": self._network, "moments": self._moments, "optimizer": self._optimizer}

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Decoded draws from a Gaussian that was fitted to the codes, [count, C, H, W]."""
        return self.decode(self._moments.draw(count, self._prior))

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> codes [B, Z]."""
        return self._codes(as_pixels(images, self._compute.device))

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, Z] -> [B, C, H, W] in [0, 1]."""
        return torch.sigmoid(self._logits(codes))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Down to the code and back up, without noise, [B, C, H, W]; given damaged images, it repairs them."""
        return self.decode(self.encode(images))

    def _codes(self, x: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            codes = self._network.encode(x)
        return codes.float()

    def _logits(self, codes: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            logits = self._network.decode(codes)
        return logits.float()
