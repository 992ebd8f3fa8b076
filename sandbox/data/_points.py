"""Samples from mixtures of Gaussians."""

import torch

from sandbox.interfaces.dataset import DataSet


def sample_mixture(
    centers: torch.Tensor, deviation: float, count: int, test_count: int, generator: torch.Generator
) -> DataSet:
    """Draw points from an even mixture of round Gaussians; points outside of the unit cube are moved to its faces.

    Args:
        centers: Means of the modes, [K, D].
        deviation: Standard deviation of each mode along each axis.
        count: Number of training points.
        test_count: Number of test points.
        generator: Random numbers, on the CPU.

    Returns:
        Points [N, D]; their labels are the indices of their modes.
    """
    labels = torch.randint(len(centers), (count + test_count,), generator=generator)
    noise = torch.randn((len(labels), centers.shape[1]), generator=generator)
    points = (centers[labels] + deviation * noise).clamp(0, 1)
    return DataSet(points[:count], points[count:], False, labels[:count], labels[count:])
