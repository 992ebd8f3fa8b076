"""A pool of earlier generated images for the training of a discriminator."""

from collections.abc import Sequence
from typing import Any

import torch

from sandbox.core.compute import Compute


class ImagePool:
    """Up to `size` generated images of earlier updates, which keep the discriminator from forgetting them.

    Paper: Shrivastava et al. 2017, as used by Zhu et al. 2017, section 4.
    """

    def __init__(self, size: int, shape: Sequence[int], compute: Compute, generator: torch.Generator) -> None:
        """Allocate the pool for images of `shape` [C, H, W]; `generator` is a random generator on the device."""
        self._images = torch.zeros((size, *shape), device=compute.device)
        self._count, self._generator = 0, generator

    def exchange(self, images: torch.Tensor) -> torch.Tensor:
        """Replace about half of the images, chosen at random, by images from the pool, and store them there instead.

        Until the pool is full, it stores the images and returns them unchanged. At most `size` images of a batch are
        exchanged.

        Args:
            images: Floats [B, C, H, W].

        Returns:
            Images of the same shape, without gradients.
        """
        size, images = len(self._images), images.detach()
        if self._count < size:
            stored = images[: size - self._count]
            self._images[self._count : self._count + len(stored)] = stored
            self._count += len(stored)
            return images
        device = images.device
        slots = torch.randperm(size, generator=self._generator, device=device)[: len(images)]
        swapped = torch.rand((len(slots), 1, 1, 1), generator=self._generator, device=device) < 0.5
        new, old = images[: len(slots)], self._images[slots]
        self._images[slots] = torch.where(swapped, new, old)
        return torch.cat([torch.where(swapped, old, new), images[len(slots) :]])

    def state_dict(self) -> dict[str, Any]:
        return {"images": self._images.clone(), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._images.copy_(state["images"])
        self._count = state["count"]
