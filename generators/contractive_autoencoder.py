"""The contractive autoencoder: the code changes little when the image does.

Paper: Rifai et al. 2011, "Contractive Auto-Encoders: Explicit Invariance During Feature Extraction".
Deviations: any backbone below the sigmoid code and its mirror image above, without tied weights; the norm of the
    Jacobian, which has a closed form for one layer only, by an unbiased estimate from random signs and a backward pass
    for each (Hutchinson 1990); Adam. The model has no distribution over codes: samples decode sigmoids of a Gaussian
    with the mean and covariance of the latest codes' log-odds, which is not a part of the paper.
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


class ContractiveAutoencoderConfig(GeneratorConfig):
    """Options of the contractive autoencoder (Rifai et al. 2011)."""

    name: Literal["contractive_autoencoder"] = "contractive_autoencoder"
    backbone: AnyBackbone = Field(MLP(hidden=()), description="network below the code; the decoder mirrors it")
    latent_size: Units = Field(128, description="size of the code, Z")
    contraction: NonNegative = Field(
        0.1, description="weight of the contraction penalty ||d code / d image||_F^2, lambda"
    )
    probes: Units = Field(1, description="random vectors, each with a backward pass, that estimate the penalty")
    optimizer: AnyOptimizer = Field(Adam(), description="optimizer of the network")
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "ContractiveAutoencoder":
        return ContractiveAutoencoder(self, spec, rng, compute)


class ContractiveAutoencoder(Generator, HasReconstruction, HasEncoder):
    """A contractive autoencoder.

    Images are uint8 or floats in [0, 1], [B, C, H, W]; for gray images the cross-entropy is no likelihood.
    """

    def __init__(self, config: ContractiveAutoencoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._device = config, compute.device
        self._shape = shape = image_shape(spec, "contractive_autoencoder")
        self._coder = ImageCoder(config.backbone, config.latent_size, shape, rng, "contractive_autoencoder", compute)
        self._optimizer = config.optimizer.make(self._coder.network.parameters(), compute)
        self._probes = rng.torch("contractive_autoencoder/probes", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Minimize the cross-entropy plus the squared norm of the code's Jacobian.

        Returns:
            `loss`: `cross_entropy`, summed over pixels, plus the weighted `jacobian`, the squared norm;
            `reconstruction_error`: the mean squared error of a pixel.
        """
        x = as_pixels(batch, self._device).detach().requires_grad_()
        log_odds = self._coder.encode(x)
        codes = torch.sigmoid(log_odds)
        logits = self._coder.decode(codes)
        cross_entropy = -likelihood.bernoulli_log_prob(logits, x.detach()).mean()
        jacobian = self._jacobian_norm(codes, x).mean()
        loss = cross_entropy + self._config.contraction * jacobian
        self._optimizer.minimize(loss)
        self._coder.moments.add(log_odds.detach())
        return {
            "loss": loss.detach(),
            "cross_entropy": cross_entropy.detach(),
            "jacobian": jacobian.detach(),
            "reconstruction_error": (torch.sigmoid(logits.detach()) - x.detach()).square().mean(),
        }

    def _jacobian_norm(self, codes: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Return an estimate of ||d code / d image||_F^2, [B]."""
        estimates = []
        for _ in range(self._config.probes):
            probe = regularized_codes.random_signs(tuple(codes.shape), self._probes, codes.device)
            estimates.append(regularized_codes.jacobian_norm_estimate(codes, x, probe))
        return torch.stack(estimates).mean(0)

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
            self._coder.encode(as_pixels(require_shape(images, self._shape, "contractive_autoencoder"), self._device))
        )

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the pixels [B, C, H, W] in [0, 1] of activations [B, Z]."""
        return torch.sigmoid(self._coder.decode(codes))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Encode and decode, [B, C, H, W]."""
        return self.decode(self.encode(images))
