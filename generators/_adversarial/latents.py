"""Normal latents from named random streams."""

from functools import partial

import torch

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng


class Latents:
    """Latents from N(0, 1), with separate random streams for training, samples and previews."""

    def __init__(self, latent_size: int, rng: Rng, compute: Compute) -> None:
        self._size, self._device, self._processes = latent_size, compute.device, compute.processes
        self._training = rng.torch("noise/training", compute.device)
        self._sampling = rng.torch("noise/sampling", compute.device)
        self._preview_seed = rng.integer("noise/preview")

    def training(self, count: int) -> torch.Tensor:
        """Draw [count, Z] for an update of this process's rows."""
        draw = partial(torch.randn, generator=self._training, device=self._device)
        return self._processes.drawn(draw, (count, self._size))

    def sampling(self, count: int) -> torch.Tensor:
        """Draw [count, Z] for samples."""
        return self._normal(count, self._sampling)

    def preview(self, count: int) -> torch.Tensor:
        """Return the same [count, Z] at every call, for previews that show the progress of training."""
        return self._normal(count, torch.Generator(self._device).manual_seed(self._preview_seed))

    def _normal(self, count: int, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(count, self._size, generator=generator, device=self._device)
