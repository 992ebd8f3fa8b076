"""What a generator's own clusters have to do with the classes, and whether images of a class are of that class."""

from collections.abc import Callable

import torch

from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.generator import Clusters, Conditional
from sandbox.ops.assignment import assigned
from sandbox.ops.statistics import half_interval

_NAMING = 10_000  # training images at most, by whose labels clusters get their names
_BATCH = 500


def code_accuracy(generator: Clusters, data: DataSet, test: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    """The share of images `test` [N, C, H, W] whose cluster has the name of their class [N], and its `_ci95`.

    Names are given by `class_of`, by training images: no test image has a say in them.
    """
    names = class_of(generator, data)
    return _share(names[_clusters(generator, test)] == labels, "code_accuracy")


def class_accuracy(
    generator: Conditional, data: DataSet, classify: Callable[[torch.Tensor], torch.Tensor], count: int
) -> dict[str, float]:
    """The share of `count` generated images that a classifier finds to be of the class asked for, and its `_ci95`.

    All classes in turn. Clusters stand for the class they are named by; one without a name is never right.

    Args:
        generator: what makes them.
        data: what it has learnt from.
        classify: images [B, C, H, W] -> classes [B].
        count: how many are made.
    """
    kinds = torch.arange(count) % generator.num_classes()
    names = class_of(generator, data) if isinstance(generator, Clusters) else torch.arange(generator.num_classes())
    found = torch.cat([classify(generator.sample_of(some).cpu()).cpu() for some in torch.split(kinds, _BATCH)])
    return _share(found == names[kinds], "class_accuracy")


def class_of(generator: Clusters, data: DataSet) -> torch.Tensor:
    """The class that each cluster is named by, [K], -1 for none: each class once, so that most images get theirs."""
    assert data.train_labels is not None
    clusters, labels = _clusters(generator, data.train[:_NAMING]), data.train_labels[:_NAMING]
    shape = (generator.cluster(data.train[:1]).shape[1], data.spec.num_classes)
    counts = torch.bincount(clusters * shape[1] + labels, minlength=shape[0] * shape[1]).view(shape)
    return torch.from_numpy(assigned(counts.numpy()))


def _clusters(generator: Clusters, images: torch.Tensor) -> torch.Tensor:
    return torch.cat([generator.cluster(x).argmax(1).cpu() for x in torch.split(images, _BATCH)])


def _share(right: torch.Tensor, name: str) -> dict[str, float]:
    scores = right.double().numpy()
    return {name: float(scores.mean()), f"{name}_ci95": half_interval(scores)}
