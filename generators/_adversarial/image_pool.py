"""Generated images of the past, so that a discriminator does not forget what it has seen through."""

from collections.abc import Sequence
from typing import Any

import torch

from sandbox.core.compute import Compute


class Pool:
    """`size` images [C, H, W]: what Zhu et al. 2017 (section 4) take from Shrivastava et al. 2017."""

    def __init__(self, size: int, shape: Sequence[int], compute: Compute, generator: torch.Generator) -> None:
        """`generator` draws, on the device."""
        self._images = torch.zeros((size, *shape), device=compute.device)
        self._count, self._generator = 0, generator

    def exchange(self, images: torch.Tensor) -> torch.Tensor:
        """Floats [B, C, H, W] -> as many: half of them, by chance, are left here, and older ones come back for them.

        Until the pool is full the images come back themselves, and those that find room are kept, too. No more than
        `size` of a batch are exchanged.
        """
        size, images = len(self._images), images.detach()
        if self._count < size:
            some = images[: size - self._count]
            self._images[self._count : self._count + len(some)] = some
            self._count += len(some)
            return images
        device = images.device
        places = torch.randperm(size, generator=self._generator, device=device)[: len(images)]
        leaves = torch.rand((len(places), 1, 1, 1), generator=self._generator, device=device) < 0.5
        new, old = images[: len(places)], self._images[places]
        self._images[places] = torch.where(leaves, new, old)
        return torch.cat([torch.where(leaves, old, new), images[len(places) :]])

    def state_dict(self) -> dict[str, Any]:
        return {"images": self._images.clone(), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._images.copy_(state["images"])
        self._count = state["count"]
