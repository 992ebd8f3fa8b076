"""A Gaussian that follows codes as they go by: what a model without a distribution over its codes is sampled from."""

import torch
from torch import nn


class CodeMoments(nn.Module):
    """Averages of the latest codes and of their products, [Z] and [Z, Z]; buffers only, so they save themselves.

    `decay` of both at each batch; divided by what they have seen so far, so the first count in full.
    """

    first: torch.Tensor
    second: torch.Tensor
    seen: torch.Tensor

    def __init__(self, latent_size: int, decay: float = 0.99) -> None:
        super().__init__()
        self._decay = decay
        self.register_buffer("first", torch.zeros(latent_size))
        self.register_buffer("second", torch.zeros(latent_size, latent_size))
        self.register_buffer("seen", torch.zeros(()))  # 1 - decay ** batches

    @torch.no_grad()
    def add(self, codes: torch.Tensor) -> None:
        """Take in a batch of codes [B, Z]."""
        codes, share = codes.float(), 1 - self._decay
        self.first.lerp_(codes.mean(0), share)
        self.second.lerp_(codes.T @ codes / len(codes), share)
        self.seen.lerp_(torch.ones_like(self.seen), share)

    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean [Z] and the covariance [Z, Z] of the codes seen; 0 and 1 before the first."""
        if self.seen == 0:
            return self.first, torch.eye(len(self.first), device=self.first.device)
        mean = self.first / self.seen
        return mean, self.second / self.seen - mean[:, None] * mean

    def draw(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Codes of that Gaussian, [count, Z]: along the covariance's own axes, so that flat ones do no harm."""
        mean, covariance = self.moments()
        variances, axes = torch.linalg.eigh(covariance.double())
        noise = torch.randn(count, len(mean), generator=generator, device=mean.device)
        return mean + (noise * variances.clamp_min(0).sqrt().float()) @ axes.float().T
