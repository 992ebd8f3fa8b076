"""The first images of a training, kept to show what becomes of them while it goes on."""

from collections.abc import Sequence
from typing import Any

import torch

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError


class PreviewImages:
    """Up to `size` images [C, H, W] uint8; the same ones from then on, and in the checkpoint."""

    def __init__(self, shape: Sequence[int], compute: Compute, size: int = 256) -> None:
        self._images = torch.zeros((size, *shape), dtype=torch.uint8, device=compute.device)
        self._count = 0

    def see(self, batch: torch.Tensor) -> None:
        """Keep what there is room for of images [B, C, H, W] uint8."""
        if (room := len(self._images) - self._count) > 0:
            some = batch[:room]
            self._images[self._count : self._count + len(some)] = some
            self._count += len(some)

    def first(self, count: int) -> torch.Tensor:
        """[count, C, H, W]; from the beginning again where there are fewer.

        Raises:
            UserError: before there are any.
        """
        if not self._count:
            raise UserError("this generator makes its samples from sources, and has seen none yet; train it first")
        return self._images[torch.arange(count, device=self._images.device) % self._count]

    def state_dict(self) -> dict[str, Any]:
        return {"images": self._images.clone(), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._images.copy_(state["images"])
        self._count = state["count"]
