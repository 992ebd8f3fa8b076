"""Accuracy of a generator's clusters and of its class-conditional samples."""

from collections.abc import Callable

import torch

from sandbox.evaluate.figures import Result, proportion
from sandbox.interfaces.capabilities import ClassConditional, HasClusters
from sandbox.interfaces.dataset import DataSet
from sandbox.ops.assignment import best_assignment

_NAMING_IMAGES = 10_000  # at most so many training images name the clusters
_BATCH_SIZE = 500


def code_accuracy(generator: HasClusters, data: DataSet, test: torch.Tensor, labels: torch.Tensor) -> Result:
    """Return the fraction of test images whose cluster is named after their class.

    The names come from training images alone (`class_of`), so that no test label helps to choose them.

    Args:
        generator: The generator.
        data: The data set that it was trained on.
        test: Test images [N, C, H, W].
        labels: Their classes [N].

    Returns:
        `code_accuracy` and `code_accuracy_ci95`, half its 95 % confidence interval.
    """
    names = class_of(generator, data)
    correct = names[_clusters(generator, test)] == labels
    return proportion("code_accuracy", correct.double().numpy())


def class_accuracy(
    generator: ClassConditional, data: DataSet, classify: Callable[[torch.Tensor], torch.Tensor], count: int
) -> Result:
    """Return the fraction of generated images that a classifier assigns to the requested class.

    The requested classes take turns. A generator with clusters is asked for clusters, each of which stands for the
    class that it is named after; images of a cluster without a name count as wrong.

    Args:
        generator: The generator.
        data: The data set that it was trained on.
        classify: The classifier: images [B, C, H, W] -> classes [B].
        count: Number of images to generate.

    Returns:
        `class_accuracy` and `class_accuracy_ci95`, half its 95 % confidence interval.
    """
    requested = torch.arange(count) % generator.num_classes()
    expected = class_of(generator, data)[requested] if isinstance(generator, HasClusters) else requested
    found = torch.cat([classify(generator.sample_of(part).cpu()).cpu() for part in torch.split(requested, _BATCH_SIZE)])
    return proportion("class_accuracy", (found == expected).double().numpy())


def class_of(generator: HasClusters, data: DataSet) -> torch.Tensor:
    """Return the class that each cluster is named after, [K]; -1 for clusters without a name.

    Each class names at most one cluster. Among all such assignments, this one is right for most training images.
    """
    assert data.train_labels is not None
    clusters = _clusters(generator, data.train[:_NAMING_IMAGES])
    labels = data.train_labels[:_NAMING_IMAGES]
    num_clusters = generator.cluster(data.train[:1]).shape[1]
    num_classes = data.spec.num_classes
    pairs = torch.bincount(clusters * num_classes + labels, minlength=num_clusters * num_classes)
    return torch.from_numpy(best_assignment(pairs.view(num_clusters, num_classes).numpy()))


def _clusters(generator: HasClusters, images: torch.Tensor) -> torch.Tensor:
    """Return the most probable cluster of each image, [N]."""
    return torch.cat([generator.cluster(x).argmax(1).cpu() for x in torch.split(images, _BATCH_SIZE)])
