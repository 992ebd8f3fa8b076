"""The sparse autoencoder: a code of many units, each of which is seldom on.

Paper: Ng 2011, "Sparse autoencoder" (lecture notes, CS294A). Deviations: mean activations are those of a batch, not of
    the whole set; cross-entropy instead of squared error; any backbone below the sigmoid code, its mirror image above,
    no weight decay; Adam instead of L-BFGS. The model has no distribution over codes: samples decode sigmoids of a
    Gaussian with the mean and covariance of the latest codes' log-odds, a rough fit where codes are sparse.
"""

from typing import Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt

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
from sandbox.ops import likelihood, regularized_codes
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig


class SparseAutoencoderConfig(GeneratorConfig):
    """`latent_size`: Z, the width of the code; `activation`: how often a unit should be on, weighed by `sparsity`."""

    name: Literal["sparse_autoencoder"] = "sparse_autoencoder"
    backbone: Backbone = MLP(hidden=())
    latent_size: PositiveInt = 128
    activation: float = Field(0.05, gt=0.0, lt=1.0)
    sparsity: NonNegativeFloat = 3.0
    optimizer: AnyOptimizer = Adam()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "SparseAutoencoder":
        return SparseAutoencoder(self, spec, rng, compute)


class SparseAutoencoder:
    """Images are uint8 or floats in [0, 1], [B, C, H, W]; for grey ones the cross-entropy is no likelihood."""

    def __init__(self, config: SparseAutoencoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._compute = config, compute
        shape = image_shape(spec, "sparse_autoencoder")
        with rng.initializing("sparse_autoencoder"):
            self._network = Bottleneck(config.backbone, config.latent_size, shape).to(compute.device)
        self._moments = CodeMoments(config.latent_size).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._prior = rng.torch("sparse_autoencoder/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """`loss`: `cross_entropy`, summed over pixels, and the weighed `sparsity`, the KL summed over units."""
        x = as_pixels(batch, self._compute.device)
        log_odds = self._log_odds(x)
        codes = torch.sigmoid(log_odds)
        logits = self._logits(codes)
        cross_entropy = -likelihood.bernoulli_log_prob(logits, x).mean()
        sparsity = regularized_codes.bernoulli_kl(self._config.activation, codes.mean(0)).sum()
        loss = cross_entropy + self._config.sparsity * sparsity
        self._optimizer.minimize(loss)
        self._moments.add(log_odds.detach())
        return {
            "loss": loss.detach(),
            "cross_entropy": cross_entropy.detach(),
            "sparsity": sparsity.detach(),
            "activation": codes.detach().mean(),
            "reconstruction_error": (torch.sigmoid(logits.detach()) - x).square().mean(),
        }

    def parts(self) -> dict[str, Stateful]:
        return {"network": self._network, "moments": self._moments, "optimizer": self._optimizer}

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Decoded draws from a Gaussian that was fitted to the codes' log-odds, [count, C, H, W]."""
        return self.decode(torch.sigmoid(self._moments.draw(count, self._prior)))

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> activations [B, Z] in (0, 1)."""
        return torch.sigmoid(self._log_odds(as_pixels(images, self._compute.device)))

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, Z] -> [B, C, H, W] in [0, 1]."""
        return torch.sigmoid(self._logits(codes))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Down to the code and back up, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def _log_odds(self, x: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            log_odds = self._network.encode(x)
        return log_odds.float()

    def _logits(self, codes: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            logits = self._network.decode(codes)
        return logits.float()
