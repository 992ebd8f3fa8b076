"""A Gaussian fitted to latent codes, to sample from models that define no distribution over their codes."""

import torch
from torch import nn


class CodeMoments(nn.Module):
    """Exponential moving averages of the codes and of their outer products, stored as buffers.

    The averages start at zero and are divided by the total weight seen so far, so that the first batch counts in full.

    Args:
        latent_size: Size Z of a code.
        decay: Weight of the previous average after each batch.

    Attributes:
        first: Average code, before the division, [Z].
        second: Average outer product, before the division, [Z, Z].
        seen: Total weight seen so far, 1 - decay ** batches, [].
    """

    first: torch.Tensor
    second: torch.Tensor
    seen: torch.Tensor

    def __init__(self, latent_size: int, decay: float = 0.99) -> None:
        super().__init__()
        self._decay = decay
        self.register_buffer("first", torch.zeros(latent_size))
        self.register_buffer("second", torch.zeros(latent_size, latent_size))
        self.register_buffer("seen", torch.zeros(()))

    @torch.no_grad()
    def add(self, codes: torch.Tensor) -> None:
        """Update the averages with a batch of codes [B, Z]."""
        codes = codes.float()
        weight = 1 - self._decay
        self.first.lerp_(codes.mean(0), weight)
        self.second.lerp_(codes.T @ codes / len(codes), weight)
        self.seen.lerp_(torch.ones_like(self.seen), weight)

    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean [Z] and the covariance [Z, Z] of the codes; before the first batch 0 and the identity."""
        if self.seen == 0:
            return self.first, torch.eye(len(self.first), device=self.first.device)
        mean = self.first / self.seen
        return mean, self.second / self.seen - mean[:, None] * mean

    def draw(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Draw [count, Z] from the Gaussian with these moments; the covariance may be singular."""
        mean, covariance = self.moments()
        variances, axes = torch.linalg.eigh(covariance.double())
        noise = torch.randn(count, len(mean), generator=generator, device=mean.device)
        return mean + (noise * variances.clamp_min(0).sqrt().float()) @ axes.float().T
