"""The contractive autoencoder: a code that changes little where the image does.

Paper: Rifai et al. 2011, "Contractive Auto-Encoders: Explicit Invariance During Feature Extraction". Deviations: any
    backbone below the sigmoid code and its mirror image above, without tied weights; the Jacobian's norm,
    which has a closed form for one layer only, by an unbiased estimate from random signs and a backward pass for each
    (Hutchinson 1990); Adam. The model has no distribution over codes: samples decode sigmoids of a Gaussian with the
    mean and covariance of the latest codes' log-odds, a fit and not a part of the model.
"""

from typing import Literal

import torch
from pydantic import NonNegativeFloat, PositiveInt

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


class ContractiveAutoencoderConfig(GeneratorConfig):
    """`latent_size`: Z; `contraction` weighs ||d code / d image||_F^2, estimated with `probes` backward passes."""

    name: Literal["contractive_autoencoder"] = "contractive_autoencoder"
    backbone: Backbone = MLP(hidden=())
    latent_size: PositiveInt = 128
    contraction: NonNegativeFloat = 0.1
    probes: PositiveInt = 1
    optimizer: AnyOptimizer = Adam()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "ContractiveAutoencoder":
        return ContractiveAutoencoder(self, spec, rng, compute)


class ContractiveAutoencoder:
    """Images are uint8 or floats in [0, 1], [B, C, H, W]; for grey ones the cross-entropy is no likelihood."""

    def __init__(self, config: ContractiveAutoencoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._compute = config, compute
        shape = image_shape(spec, "contractive_autoencoder")
        with rng.initializing("contractive_autoencoder"):
            self._network = Bottleneck(config.backbone, config.latent_size, shape).to(compute.device)
        self._moments = CodeMoments(config.latent_size).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._probes = rng.torch("contractive_autoencoder/probes", compute.device)
        self._prior = rng.torch("contractive_autoencoder/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """`loss`: `cross_entropy`, summed over pixels, and the weighed `jacobian`, the squared norm."""
        x = as_pixels(batch, self._compute.device).detach().requires_grad_()
        log_odds = self._log_odds(x)
        codes = torch.sigmoid(log_odds)
        logits = self._logits(codes)
        cross_entropy = -likelihood.bernoulli_log_prob(logits, x.detach()).mean()
        jacobian = self._jacobian(codes, x).mean()
        loss = cross_entropy + self._config.contraction * jacobian
        self._optimizer.minimize(loss)
        self._moments.add(log_odds.detach())
        return {
            "loss": loss.detach(),
            "cross_entropy": cross_entropy.detach(),
            "jacobian": jacobian.detach(),
            "reconstruction_error": (torch.sigmoid(logits.detach()) - x.detach()).square().mean(),
        }

    def _jacobian(self, codes: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """||d code / d image||_F^2, an estimate, [B]."""
        estimates = [
            regularized_codes.jacobian_norm_estimate(
                codes, x, regularized_codes.signs(tuple(codes.shape), self._probes, codes.device)
            )
            for _ in range(self._config.probes)
        ]
        return torch.stack(estimates).mean(0)

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
