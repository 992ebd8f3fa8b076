"""The vector-quantised autoencoder: an image is a handful of symbols from a codebook.

Paper: van den Oord et al. 2017, "Neural Discrete Representation Learning", with the codebook by exponential averages of
    its appendix A.1. Deviations: any backbone encodes, a linear layer makes its features `positions` vectors, and the
    mirror image decodes; codes that are hardly used start again at vectors of the batch (Dhariwal et al. 2020,
    "Jukebox"), as all of them do at the first update; Adam. The prior over codes is no PixelCNN but each position's
    running code frequencies: samples put symbols together that may never have met, and look worse for it.
"""

from typing import Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import nn
from torch.nn import functional as F

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
from sandbox.ops import likelihood
from sandbox.ops import vector_quantization as vq
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig


class VQVAEConfig(GeneratorConfig):
    """An image is `positions` of `num_codes` symbols, vectors of `code_size`; `commitment` weighs the way to them.

    `decay` of the averages an update; `smoothing` of their counts; a code used less than `restart_below` times a batch,
    on average, starts again.
    """

    name: Literal["vq_vae"] = "vq_vae"
    backbone: Backbone = MLP()
    num_codes: int = Field(64, ge=2)
    positions: PositiveInt = 16
    code_size: PositiveInt = 8
    commitment: NonNegativeFloat = 0.25
    decay: float = Field(0.99, ge=0.0, lt=1.0)
    smoothing: PositiveFloat = 1e-5
    restart_below: float = Field(0.5, ge=0.0, lt=1.0)
    optimizer: AnyOptimizer = Adam()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "VQVAE":
        return VQVAE(self, spec, rng, compute)


class Codebook(nn.Module):
    """K codes, the averages they are made of, and how often each is used at each position [P, K]: buffers only."""

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
        """Codes that are hardly used move to vectors [N, D] drawn from the batch; their share, 0-d."""
        rows = torch.randint(len(vectors), (len(self.codes),), generator=generator, device=vectors.device)
        unused = self.counts < self._config.restart_below
        self.codes = torch.where(unused[:, None], vectors[rows], self.codes)
        self.sums = torch.where(unused[:, None], vectors[rows], self.sums)
        self.counts = torch.where(unused, 1.0, self.counts)
        return unused.float().mean()

    def follow(self, vectors: torch.Tensor, symbols: torch.Tensor) -> None:
        """Take in a batch: vectors [B, P, D] and the symbols [B, P] they became."""
        share = 1 - self._config.decay
        counts, sums = vq.code_sums(vectors.flatten(0, 1), symbols.flatten(), len(self.codes))
        self.counts.lerp_(counts, share)
        self.sums.lerp_(sums, share)
        self.codes = vq.smoothed_means(self.counts, self.sums, self._config.smoothing)
        self.frequencies.lerp_(F.one_hot(symbols, len(self.codes)).float().mean(0), share)


class VQVAE:
    """Images are uint8 or floats in [0, 1], [B, C, H, W]; for grey ones the cross-entropy is no likelihood."""

    def __init__(self, config: VQVAEConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._compute = config, compute
        with rng.initializing("vq_vae"):
            network = Bottleneck(config.backbone, config.positions * config.code_size, image_shape(spec, "vq_vae"))
        self._network = network.to(compute.device)
        self._codebook = Codebook(config).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._restarts = rng.torch("vq_vae/restarts", compute.device)
        self._prior = rng.torch("vq_vae/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """`loss`: `cross_entropy`, summed over pixels, and the weighed `commitment`, summed over the code.

        `perplexity`: of the running frequencies, at most `num_codes`; `restarted`: the share of codes.
        """
        x = as_pixels(batch, self._compute.device)
        vectors = self._vectors(x)
        restarted = self._codebook.restart(vectors.detach().flatten(0, 1), self._restarts)
        symbols = vq.nearest(vectors.detach(), self._codebook.codes)
        quantised = self._codebook.codes[symbols]
        logits = self._logits(vq.straight_through(vectors, quantised))
        cross_entropy = -likelihood.bernoulli_log_prob(logits, x).mean()
        commitment = vq.commitment_loss(vectors, quantised).mean()
        loss = cross_entropy + self._config.commitment * commitment
        self._optimizer.minimize(loss)
        self._codebook.follow(vectors.detach(), symbols)
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
        """Decoded symbols, each position's drawn by its own frequencies, [count, C, H, W]."""
        symbols = torch.multinomial(self._codebook.frequencies, count, replacement=True, generator=self._prior).T
        return torch.sigmoid(self._logits(self._codebook.codes[symbols]))

    @torch.no_grad()
    def symbols(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> int64 [B, P] in 0..K-1."""
        return vq.nearest(self._vectors(as_pixels(images, self._compute.device)), self._codebook.codes)

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> the vectors of its symbols, side by side, [B, P * D]."""
        return self._codebook.codes[self.symbols(images)].flatten(1)

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, P * D] -> [B, C, H, W] in [0, 1]; vectors that are no codes count as the nearest."""
        vectors = codes.view(-1, self._config.positions, self._config.code_size)
        return torch.sigmoid(self._logits(self._codebook.codes[vq.nearest(vectors, self._codebook.codes)]))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Through the symbols, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def _vectors(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> [B, P, D], not yet quantised."""
        with self._compute.autocast():
            flat = self._network.encode(x)
        return flat.float().view(-1, self._config.positions, self._config.code_size)

    def _logits(self, vectors: torch.Tensor) -> torch.Tensor:
        """[B, P, D] -> [B, C, H, W]."""
        with self._compute.autocast():
            logits = self._network.decode(vectors.flatten(1))
        return logits.float()
