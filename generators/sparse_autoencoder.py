"""The sparse autoencoder: a code of many units, each of which is rarely active.

Paper: Ng 2011, "Sparse autoencoder" (lecture notes, CS294A).
Deviations: mean activations are those of a batch, not of the whole set; cross-entropy instead of squared error; any
    backbone below the sigmoid code, its mirror image above, no weight decay; Adam instead of L-BFGS. The model has no
    distribution over codes: samples decode sigmoids of a Gaussian with the mean and covariance of the latest codes'
    log-odds, a poor fit for sparse codes.
"""

from typing import Literal

import torch
from pydantic import Field

from sandbox.config.numbers import NonNegative, Units
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
from sandbox.ops import likelihood, regularized_codes
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig


class SparseAutoencoderConfig(GeneratorConfig):
    """Options of the sparse autoencoder (Ng 2011)."""

    name: Literal["sparse_autoencoder"] = "sparse_autoencoder"
    backbone: AnyBackbone = Field(MLP(hidden=()), description="network below the code; the decoder mirrors it")
    latent_size: Units = Field(128, description="size of the code, Z")
    activation: float = Field(0.05, gt=0.0, lt=1.0, description="target for the mean activation of a unit, rho")
    sparsity: NonNegative = Field(3.0, description="weight of the sparsity penalty, beta")
    optimizer: AnyOptimizer = Field(Adam(), description="optimizer of the network")
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "SparseAutoencoder":
        return SparseAutoencoder(self, spec, rng, compute)


class SparseAutoencoder(Generator, HasReconstruction, HasEncoder):
    """A sparse autoencoder.

    Images are uint8 or floats in [0, 1], [B, C, H, W]; for gray images the cross-entropy is no likelihood.
    """

    def __init__(self, config: SparseAutoencoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._device = config, compute.device
        self._shape = shape = image_shape(spec, "sparse_autoencoder")
        self._coder = ImageCoder(config.backbone, config.latent_size, shape, rng, "sparse_autoencoder", compute)
        self._optimizer = config.optimizer.make(self._coder.network.parameters(), compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Minimize the cross-entropy plus the KL divergence of each unit's mean activation from its target.

        Returns:
            `loss`: `cross_entropy`, summed over pixels, plus the weighted `sparsity`, the KL summed over units;
            `activation`: the mean; `reconstruction_error`: the mean squared error of a pixel.
        """
        x = as_pixels(batch, self._device)
        log_odds = self._coder.encode(x)
        codes = torch.sigmoid(log_odds)
        logits = self._coder.decode(codes)
        cross_entropy = -likelihood.bernoulli_log_prob(logits, x).mean()
        sparsity = regularized_codes.bernoulli_kl(self._config.activation, codes.mean(0)).sum()
        loss = cross_entropy + self._config.sparsity * sparsity
        self._optimizer.minimize(loss)
        self._coder.moments.add(log_odds.detach())
        return {
            "loss": loss.detach(),
            "cross_entropy": cross_entropy.detach(),
            "sparsity": sparsity.detach(),
            "activation": codes.detach().mean(),
            "reconstruction_error": (torch.sigmoid(logits.detach()) - x).square().mean(),
        }

    def parts(self) -> dict[str, Stateful]:
        return {**self._coder.parts(), "optimizer": self._optimizer}

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Decode codes whose log-odds are drawn from a Gaussian fitted to the latest ones, [count, C, H, W]."""
        return self.decode(torch.sigmoid(self._coder.sample_codes(count)))

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the activations [B, Z] in (0, 1) of images [B, C, H, W]."""
        return torch.sigmoid(
            self._coder.encode(as_pixels(require_shape(images, self._shape, "sparse_autoencoder"), self._device))
        )

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the pixels [B, C, H, W] in [0, 1] of activations [B, Z]."""
        return torch.sigmoid(self._coder.decode(codes))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Encode and decode, [B, C, H, W]."""
        return self.decode(self.encode(images))
