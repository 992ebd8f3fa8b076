"""Points around centres, for the sets of mixtures of Gaussians."""

import torch

from sandbox.interfaces.dataset import DataSet


def mixture(
    centres: torch.Tensor, deviation: float, count: int, test_count: int, generator: torch.Generator
) -> DataSet:
    """Points around centres [K, D], each as likely as any other; labels are the centres' numbers.

    The unit cube holds them all: what a draw puts outside is moved to its edge.
    """
    labels = torch.randint(len(centres), (count + test_count,), generator=generator)
    noise = torch.randn((len(labels), centres.shape[1]), generator=generator)
    points = (centres[labels] + deviation * noise).clamp(0, 1)
    return DataSet(points[:count], points[count:], False, labels[:count], labels[count:])
