"""Class labels as inputs of generators and discriminators."""

import torch
from torch.nn import functional as F

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.streams.labeled import Labeled


class ClassLabels:
    """The K classes of a data set, as numbers, one-hot vectors and image planes."""

    def __init__(self, spec: Spec, name: str, rng: Rng, compute: Compute) -> None:
        """Take the classes of the data set.

        Raises:
            UserError: If the data of the generator called `name` have no labels.
        """
        if not spec.num_classes:
            raise UserError(
                f"generator.name={name} learns images of given classes, but these data have no labels. Use data with "
                "labels, e.g. data.name=digits or data.name=mnist, or generator.name=dcgan, which needs none."
            )
        self.num_classes, self._device = spec.num_classes, compute.device
        self._sampling = rng.torch("classes/sampling", compute.device)

    def of_batch(self, batch: Labeled) -> torch.Tensor:
        """Return the labels [B] of a batch, on the device."""
        assert batch.labels is not None, "the constructor refuses data without labels"
        return batch.labels.to(self._device)

    def cycle(self, count: int) -> torch.Tensor:
        """Return the labels 0, 1, ... K - 1, 0, 1, ...: [count]."""
        return torch.arange(count, device=self._device) % self.num_classes

    def sample(self, count: int) -> torch.Tensor:
        """Draw labels from the uniform distribution, [count]; metrics need samples that are independent."""
        return torch.randint(self.num_classes, (count,), generator=self._sampling, device=self._device)

    def one_hot(self, labels: torch.Tensor) -> torch.Tensor:
        """Encode labels [B] as floats [B, K]."""
        return F.one_hot(labels.to(self._device), self.num_classes).float()

    def append_one_hot(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Append the one-hot labels [B] to latents [B, Z]: [B, Z + K]."""
        return torch.cat([z, self.one_hot(labels)], 1)

    def append_planes(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Append K planes to images [B, C, H, W], all 1 for the class of the label [B] and all 0 for the others.

        Returns:
            Floats [B, C + K, H, W].
        """
        images = as_float(images)
        planes = self.one_hot(labels)[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return torch.cat([images, planes.to(images)], 1)
