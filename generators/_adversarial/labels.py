"""What tells two networks which class an image is of."""

import torch
from torch.nn import functional as F

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.streams.labeled import Labeled


class ClassLabels:
    """The `number` of classes K of some data, and how they go beside noise and images."""

    def __init__(self, spec: Spec, name: str, rng: Rng, compute: Compute) -> None:
        """Raises UserError if the data of the member `name` have no labels."""
        if not spec.num_classes:
            raise UserError(
                f"generator.name={name} makes images of a class, but these data have no labels. Take some that have, "
                "e.g. data.name=digits or data.name=mnist, or generator.name=dcgan, which needs none."
            )
        self.number, self._device = spec.num_classes, compute.device
        self._sampling = rng.torch("classes/sampling", compute.device)

    def of(self, batch: Labeled) -> torch.Tensor:
        """The classes [B] of a batch."""
        assert batch.labels is not None, "the constructor has asked for them"
        return batch.labels.to(self._device)

    def in_turn(self, count: int) -> torch.Tensor:
        """0, 1, ... K - 1, 0, 1, ...: [count]."""
        return torch.arange(count, device=self._device) % self.number

    def sampling(self, count: int) -> torch.Tensor:
        """Evenly drawn, [count]: metrics take samples as independent of each other."""
        return torch.randint(self.number, (count,), generator=self._sampling, device=self._device)

    def one_hot(self, labels: torch.Tensor) -> torch.Tensor:
        """[B] -> [B, K], floats."""
        return F.one_hot(labels.to(self._device), self.number).float()

    def concatenate(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """[B, Z] and [B] -> [B, Z + K]."""
        return torch.cat([z, self.one_hot(labels)], 1)

    def as_planes(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W], bytes or in [0, 1], and [B] -> [B, C + K, H, W]: a plane of 1s for the class, K - 1 of 0s."""
        images = as_float(images)
        planes = self.one_hot(labels)[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return torch.cat([images, planes.to(images)], 1)
