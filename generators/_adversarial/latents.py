"""What goes into a generator: normal latents, from named generators, and the images that come out."""

import torch
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng


class Latents:
    """Latents [B, Z] for training, for samples, and for previews, which are the same each time."""

    def __init__(self, latent_size: int, rng: Rng, compute: Compute) -> None:
        self._size, self._compute = latent_size, compute
        self._training = rng.torch("noise/training", compute.device)
        self._sampling = rng.torch("noise/sampling", compute.device)
        self._preview = rng.integer("noise/preview")

    def training(self, count: int) -> torch.Tensor:
        """[count, Z] for an update."""
        return self._draw(count, self._training)

    def sampling(self, count: int) -> torch.Tensor:
        """[count, Z] for people to look at."""
        return self._draw(count, self._sampling)

    def preview(self, count: int) -> torch.Tensor:
        """[count, Z], always the same: what comes of them shows how training goes on."""
        return self._draw(count, torch.Generator(self._compute.device).manual_seed(self._preview))

    def _draw(self, count: int, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(count, self._size, generator=generator, device=self._compute.device)

    def images(self, network: nn.Module, z: torch.Tensor) -> torch.Tensor:
        """What `network` makes of latents [B, Z] (and of whatever is beside them), in [0, 1]."""
        with self._compute.autocast():
            logits = network(z)
        return torch.sigmoid(logits.float())
