"""The denoising autoencoder: it reconstructs the clean image from a corrupted one.

Paper: Vincent et al. 2010, "Stacked Denoising Autoencoders: Learning Useful Representations in a Deep Network with a
    Local Denoising Criterion".
Deviations: any backbone encodes to a linear code and its mirror image decodes, without tied weights; Adam; Gaussian
    noise is not clipped to [0, 1]. Samples decode a Gaussian with the mean and covariance of the latest batches' codes
    (of corrupted images), which is not a part of the model; its own samples would come from a long Markov chain of
    corruptions and reconstructions (Bengio et al. 2013).
"""

from typing import Annotated, Literal

import torch
from pydantic import Field

from sandbox.config.base import Config
from sandbox.config.numbers import Positive, Units
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._images.image_coder import ImageCoder
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import HasEncoder, HasReconstruction
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.inputs import as_pixels
from sandbox.networks.mlp import MLP
from sandbox.ops import likelihood
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig


class MaskingNoise(Config):
    """Masking noise: random pixels become black."""

    name: Literal["masking"] = "masking"
    fraction: float = Field(default=0.3, ge=0.0, lt=1.0, description="probability of a pixel to become black")

    def corrupt(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the corrupted images, floats of any shape."""
        return x * (torch.rand(x.shape, generator=generator, device=x.device) >= self.fraction)


class GaussianNoise(Config):
    """Additive Gaussian noise on every pixel."""

    name: Literal["gaussian"] = "gaussian"
    std: Positive = Field(0.3, description="standard deviation of the noise; black is 0 and white 1")

    def corrupt(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the corrupted images, floats of any shape."""
        return x + self.std * torch.randn(x.shape, generator=generator, device=x.device)


class DenoisingAutoencoderConfig(GeneratorConfig):
    """Options of the denoising autoencoder (Vincent et al. 2010)."""

    name: Literal["denoising_autoencoder"] = "denoising_autoencoder"
    noise: Annotated[MaskingNoise | GaussianNoise, Field(discriminator="name")] = Field(
        MaskingNoise(), description="corruption of the encoder's input"
    )
    backbone: AnyBackbone = Field(MLP(), description="network of the encoder; the decoder mirrors it")
    latent_size: Units = Field(16, description="size of the code, Z")
    optimizer: AnyOptimizer = Field(Adam(), description="optimizer of the network")
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DenoisingAutoencoder":
        return DenoisingAutoencoder(self, spec, rng, compute)


class DenoisingAutoencoder(Generator, HasReconstruction, HasEncoder):
    """A denoising autoencoder.

    Images are uint8 or floats in [0, 1], [B, C, H, W]; for gray images the cross-entropy is no likelihood.
    """

    def __init__(self, config: DenoisingAutoencoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._noise, self._device = config.noise, compute.device
        self._shape = shape = image_shape(spec, "denoising_autoencoder")
        self._coder = ImageCoder(config.backbone, config.latent_size, shape, rng, "denoising_autoencoder", compute)
        self._optimizer = config.optimizer.make(self._coder.network.parameters(), compute)
        self._corruption = rng.torch("denoising_autoencoder/damage", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Minimize the cross-entropy between the reconstruction of corrupted images and the clean images.

        Returns:
            `loss`: the cross-entropy, summed over pixels; `reconstruction_error`: the mean squared error of a pixel.
            Both are those of corrupted images; `sandbox evaluate` reports the error of clean ones.
        """
        x = as_pixels(batch, self._device)
        corrupted = self._noise.corrupt(x, self._corruption)
        codes = self._coder.encode(corrupted)
        logits = self._coder.decode(codes)
        loss = -likelihood.bernoulli_log_prob(logits, x).mean()
        self._optimizer.minimize(loss)
        self._coder.moments.add(codes.detach())
        error = (torch.sigmoid(logits.detach()) - x).square().mean()
        return {"loss": loss.detach(), "reconstruction_error": error}

    def parts(self) -> dict[str, Stateful]:
        return {**self._coder.parts(), "optimizer": self._optimizer}

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Decode codes drawn from a Gaussian that is fitted to the codes, [count, C, H, W]."""
        return self.decode(self._coder.sample_codes(count))

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the codes [B, Z] of images [B, C, H, W]."""
        return self._coder.encode(as_pixels(require_shape(images, self._shape, "denoising_autoencoder"), self._device))

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the pixels [B, C, H, W] in [0, 1] of codes [B, Z]."""
        return torch.sigmoid(self._coder.decode(codes))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Encode and decode without adding noise, [B, C, H, W]; corrupted images are denoised."""
        return self.decode(self.encode(images))
