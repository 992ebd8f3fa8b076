"""The autoencoder: images are compressed to a small code and reconstructed from it.

Paper: Hinton & Salakhutdinov 2006, "Reducing the Dimensionality of Data with Neural Networks".
Deviations: all layers are trained together, from random weights or, if `encoder_from` names a `dbn`, from its passes
    upwards and downwards, between which the linear layers of the code begin at random (in the paper they are one more
    machine); any backbone encodes and its mirror image decodes; Adam. The model has no distribution over codes: samples
    decode a Gaussian with the mean and covariance of the latest batches' codes, which is not a part of the paper.
"""

from typing import Literal

import torch
from pydantic import Field

from sandbox.config.numbers import Units
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._images.image_coder import ImageCoder
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import CanStartDecoder, HasEncoder, HasReconstruction
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


class AutoencoderConfig(GeneratorConfig):
    """Options of the autoencoder (Hinton & Salakhutdinov 2006)."""

    name: Literal["autoencoder"] = "autoencoder"
    backbone: AnyBackbone = Field(MLP(), description="network of the encoder; the decoder mirrors it")
    latent_size: Units = Field(16, description="size of the code, Z")
    optimizer: AnyOptimizer = Field(Adam(), description="optimizer of the network")
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Autoencoder":
        return Autoencoder(self, spec, rng, compute)


class Autoencoder(Generator, HasReconstruction, HasEncoder, CanStartDecoder):
    """An autoencoder.

    Images are uint8 or floats in [0, 1], [B, C, H, W]; for gray images the cross-entropy is no likelihood.
    """

    def __init__(self, config: AutoencoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._device = compute.device
        self._shape = shape = image_shape(spec, "autoencoder")
        self._coder = ImageCoder(config.backbone, config.latent_size, shape, rng, "autoencoder", compute)
        self._optimizer = config.optimizer.make(self._coder.network.parameters(), compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Minimize the reconstruction's cross-entropy.

        Returns:
            `loss`: the cross-entropy, summed over pixels; `reconstruction_error`: the mean squared error of a pixel.
        """
        x = as_pixels(batch, self._device)
        codes = self._coder.encode(x)
        logits = self._coder.decode(codes)
        loss = -likelihood.bernoulli_log_prob(logits, x).mean()
        self._optimizer.minimize(loss)
        self._coder.moments.add(codes.detach())
        error = (torch.sigmoid(logits.detach()) - x).square().mean()
        return {"loss": loss.detach(), "reconstruction_error": error}

    def start_decoder(self, layers: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Begin the decoder with the pass downwards of a stack that has the same backbone."""
        self._coder.start_decoder(layers)

    def parts(self) -> dict[str, Stateful]:
        return {**self._coder.parts(), "optimizer": self._optimizer}

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Decode codes drawn from a Gaussian that is fitted to the codes, [count, C, H, W]."""
        return self.decode(self._coder.sample_codes(count))

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the codes [B, Z] of images [B, C, H, W]."""
        return self._coder.encode(as_pixels(require_shape(images, self._shape, "autoencoder"), self._device))

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the pixels [B, C, H, W] in [0, 1] of codes [B, Z]."""
        return torch.sigmoid(self._coder.decode(codes))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Encode and decode, [B, C, H, W]."""
        return self.decode(self.encode(images))
