"""The first images of a training, from which all previews are made."""

from collections.abc import Sequence
from typing import Any

import torch

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError


class PreviewImages:
    """The first `size` images [C, H, W] uint8 of a training, with a place in the checkpoint."""

    def __init__(self, shape: Sequence[int], compute: Compute, size: int = 256) -> None:
        self._images = torch.zeros((size, *shape), dtype=torch.uint8, device=compute.device)
        self._count = 0

    def add(self, batch: torch.Tensor) -> None:
        """Keep images [B, C, H, W] uint8 until there are `size` of them."""
        free = len(self._images) - self._count
        if free > 0:
            kept = batch[:free]
            self._images[self._count : self._count + len(kept)] = kept
            self._count += len(kept)

    def first(self, count: int) -> torch.Tensor:
        """Return the first `count` images, [count, C, H, W]; they repeat if there are fewer.

        Raises:
            UserError: Before the first update.
        """
        if not self._count:
            raise UserError(
                "this generator makes its samples from source images, and has seen none before its first update. "
                "Train it first."
            )
        return self._images[torch.arange(count, device=self._images.device) % self._count]

    def state_dict(self) -> dict[str, Any]:
        return {"images": self._images.clone(), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._images.copy_(state["images"])
        self._count = state["count"]
