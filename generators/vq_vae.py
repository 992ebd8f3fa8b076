"""The VQ-VAE: an autoencoder with discrete latents, the indices of vectors in a learned codebook.

Paper: van den Oord et al. 2017, "Neural Discrete Representation Learning", with the codebook by exponential moving
    averages of its appendix A.1.
Deviations: any backbone encodes, a linear layer maps its features to `positions` vectors, and the mirror image decodes;
    codes that are hardly used restart at vectors of the batch (Dhariwal et al. 2020, "Jukebox"), as all of them do at
    the first update; Adam. The prior over codes is no PixelCNN but each position's running code frequencies, as if the
    positions were independent, so samples look worse than those of the paper.
"""

from typing import Literal

import torch
from pydantic import Field, PositiveInt
from torch import nn
from torch.nn import functional as F

from sandbox.config.numbers import Channels, NonNegative, Positive
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import HasEncoder, HasReconstruction
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.decoders.bottleneck import Bottleneck
from sandbox.networks.inputs import as_pixels
from sandbox.networks.mlp import MLP
from sandbox.ops import likelihood
from sandbox.ops import vector_quantization as vq
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig


class VQVAEConfig(GeneratorConfig):
    """Options of the VQ-VAE (van den Oord et al. 2017)."""

    name: Literal["vq_vae"] = "vq_vae"
    backbone: AnyBackbone = Field(MLP(), description="network of the encoder; the decoder mirrors it")
    num_codes: int = Field(64, ge=2, le=4_096, description="codes in the codebook, K")
    positions: Channels = Field(16, description="codes that describe an image, P")
    code_size: PositiveInt = Field(8, le=256, description="length of a code's vector, D")
    commitment: NonNegative = Field(0.25, description="weight of the commitment loss, beta")
    decay: float = Field(0.99, ge=0.0, lt=1.0, description="decay rate of the moving averages, by update")
    smoothing: Positive = Field(1e-5, description="Laplace smoothing of the averaged counts")
    restart_below: float = Field(
        0.5, ge=0.0, lt=1.0, description="average uses in a batch below which a code restarts; 0: none does"
    )
    optimizer: AnyOptimizer = Field(Adam(), description="optimizer of the encoder and decoder")
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "VQVAE":
        return VQVAE(self, spec, rng, compute)


class Codebook(nn.Module):
    """K codes with the moving averages that define them, and the code frequencies of each position [P, K]."""

    codes: torch.Tensor
    counts: torch.Tensor
    sums: torch.Tensor
    frequencies: torch.Tensor

    def __init__(self, config: VQVAEConfig) -> None:
        super().__init__()
        self._config = config
        self.register_buffer("codes", torch.zeros(config.num_codes, config.code_size))
        self.register_buffer("counts", torch.zeros(config.num_codes))
        self.register_buffer("sums", torch.zeros(config.num_codes, config.code_size))
        self.register_buffer("frequencies", torch.full((config.positions, config.num_codes), 1 / config.num_codes))

    def restart(self, vectors: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Move codes that are hardly used to random vectors of the batch [N, D]; return the fraction moved, 0-d."""
        rows = torch.randint(len(vectors), (len(self.codes),), generator=generator, device=vectors.device)
        unused = self.counts < self._config.restart_below
        self.codes = torch.where(unused[:, None], vectors[rows], self.codes)
        self.sums = torch.where(unused[:, None], vectors[rows], self.sums)
        self.counts = torch.where(unused, 1.0, self.counts)
        return unused.float().mean()

    def update_averages(self, vectors: torch.Tensor, symbols: torch.Tensor) -> None:
        """Update the moving averages and the codes from vectors [B, P, D] and the indices of their codes [B, P]."""
        rate = 1 - self._config.decay
        counts, sums = vq.code_sums(vectors.flatten(0, 1), symbols.flatten(), len(self.codes))
        self.counts.lerp_(counts, rate)
        self.sums.lerp_(sums, rate)
        self.codes = vq.smoothed_means(self.counts, self.sums, self._config.smoothing)
        self.frequencies.lerp_(F.one_hot(symbols, len(self.codes)).float().mean(0), rate)


class VQVAE(Generator, HasReconstruction, HasEncoder):
    """An autoencoder with discrete latents.

    Images are uint8 or floats in [0, 1], [B, C, H, W]; for gray images the cross-entropy is no likelihood.
    """

    def __init__(self, config: VQVAEConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._compute = config, image_shape(spec, "vq_vae"), compute
        with rng.initializing("vq_vae"):
            network = Bottleneck(config.backbone, config.positions * config.code_size, self._shape)
        self._network = network.to(compute.device)
        self._codebook = Codebook(config).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._restarts = rng.torch("vq_vae/restarts", compute.device)
        self._prior = rng.torch("vq_vae/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Minimize the reconstruction's cross-entropy and the commitment loss, and update the codebook.

        Returns:
            `loss`: `cross_entropy`, summed over pixels, plus the weighted `commitment`, summed over positions;
            `perplexity`: the effective number of codes in use; `restarted`: the fraction of codes that restarted;
            `reconstruction_error`: the mean squared error of a pixel.
        """
        x = as_pixels(batch, self._compute.device)
        vectors = self._vectors(x)
        restarted = self._codebook.restart(vectors.detach().flatten(0, 1), self._restarts)
        symbols = vq.nearest_codes(vectors.detach(), self._codebook.codes)
        quantized = self._codebook.codes[symbols]
        logits = self._logits(vq.straight_through(vectors, quantized))
        cross_entropy = -likelihood.bernoulli_log_prob(logits, x).mean()
        commitment = vq.commitment_loss(vectors, quantized).mean()
        loss = cross_entropy + self._config.commitment * commitment
        self._optimizer.minimize(loss)
        self._codebook.update_averages(vectors.detach(), symbols)
        return {
            "loss": loss.detach(),
            "cross_entropy": cross_entropy.detach(),
            "commitment": commitment.detach(),
            "perplexity": vq.perplexity(self._codebook.frequencies.mean(0)),
            "restarted": restarted,
            "reconstruction_error": (torch.sigmoid(logits.detach()) - x).square().mean(),
        }

    def parts(self) -> dict[str, Stateful]:
        return {"network": self._network, "codebook": self._codebook, "optimizer": self._optimizer}

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Decode codes drawn with the frequencies of each position, [count, C, H, W]."""
        symbols = torch.multinomial(self._codebook.frequencies, count, replacement=True, generator=self._prior).T
        return torch.sigmoid(self._logits(self._codebook.codes[symbols]))

    @torch.no_grad()
    def symbols(self, images: torch.Tensor) -> torch.Tensor:
        """Return the indices of the codes of images [B, C, H, W]: int64 [B, P]."""
        return vq.nearest_codes(
            self._vectors(as_pixels(require_shape(images, self._shape, "vq_vae"), self._compute.device)),
            self._codebook.codes,
        )

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the concatenated codes of images [B, C, H, W]: [B, P * D]."""
        return self._codebook.codes[self.symbols(images)].flatten(1)

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the pixels [B, C, H, W] in [0, 1] of codes [B, P * D]; vectors become the nearest code first."""
        vectors = codes.view(-1, self._config.positions, self._config.code_size)
        return torch.sigmoid(self._logits(self._codebook.codes[vq.nearest_codes(vectors, self._codebook.codes)]))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Encode to codes and decode, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def _vectors(self, x: torch.Tensor) -> torch.Tensor:
        """Return the encoder's output before quantization: [B, C, H, W] -> [B, P, D]."""
        with self._compute.autocast():
            flat = self._network.encode(x)
        return flat.float().view(-1, self._config.positions, self._config.code_size)

    def _logits(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the logits of the pixels: [B, P, D] -> [B, C, H, W]."""
        with self._compute.autocast():
            logits = self._network.decode(vectors.flatten(1))
        return logits.float()
