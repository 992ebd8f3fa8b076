"""The autoencoder: images through a narrow code and back.

Paper: Hinton & Salakhutdinov 2006, "Reducing the Dimensionality of Data with Neural Networks". Deviations: trained
    whole from the start, without Boltzmann machines; any backbone encodes and its mirror image decodes; Adam. The model
    has no distribution over codes: samples decode a Gaussian with the mean and covariance of the latest batches' codes,
    which is a fit, not a part of the model.
"""

from typing import Literal

import torch
from pydantic import PositiveInt

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


class AutoencoderConfig(GeneratorConfig):
    """`latent_size`: Z, the width of the code."""

    name: Literal["autoencoder"] = "autoencoder"
    backbone: Backbone = MLP()
    latent_size: PositiveInt = 16
    optimizer: AnyOptimizer = Adam()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Autoencoder":
        return Autoencoder(self, spec, rng, compute)


class Autoencoder:
    """Images are uint8 or floats in [0, 1], [B, C, H, W]; for grey ones the cross-entropy is no likelihood."""

    def __init__(self, config: AutoencoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._compute = compute
        shape = image_shape(spec, "autoencoder")
        with rng.initializing("autoencoder"):
            self._network = Bottleneck(config.backbone, config.latent_size, shape).to(compute.device)
        self._moments = CodeMoments(config.latent_size).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._prior = rng.torch("autoencoder/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """`loss`: the cross-entropy, summed over pixels; `reconstruction_error`: squared, a pixel."""
        x = as_pixels(batch, self._compute.device)
        codes = self._codes(x)
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
        """Down to the code and back up, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def _codes(self, x: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            codes = self._network.encode(x)
        return codes.float()

    def _logits(self, codes: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            logits = self._network.decode(codes)
        return logits.float()
