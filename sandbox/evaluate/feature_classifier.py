"""A small classifier of a data set's classes; its features measure the similarity of two sets of images.

The project trains the classifier itself, on the data set that a generator learns from, so that nothing is downloaded.
Distances between its features are comparable only under the same classifier.

Deviations from a classifier that is trained for accuracy: it sees the test images too. Therefore all runs on a data set
that is split by the run's seed share one classifier, and training and test images, whose distance is the floor of each
metric, look equally familiar to it.
"""

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.core.compute import Compute
from sandbox.core.progress import progress
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.networks.inputs import as_float
from sandbox.optimizers.adam import Adam

FEATURES = 64
SMALLEST, LARGEST = 8, 64  # pixels per side
_MAX_UPDATES, _MAX_EPOCHS = 2_000, 40
_BATCH_SIZE = 128
_INFERENCE_BATCH_SIZE = 1_000


class FeatureExtractor(Protocol):
    """A frozen model that maps images to features and classes.

    Attributes:
        num_features: Number of features F.
        num_modes: Number of classes, if the data set exists to count how many of them a generator covers; otherwise 0.
    """

    num_features: int
    num_modes: int

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features [N, F] (float32) of images [N, C, H, W], bytes or floats in [0, 1]."""

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Return the most probable class of each image, [N]."""


class FeatureNetwork(nn.Module):
    """Convolutions from images [B, C, H, W] in [0, 1] to features [B, 64], and a linear layer from features to classes.

    The features are taken before their nonlinearity, where they are closer to a Gaussian.

    Attributes:
        mean: Mean features of the whole data set, [64].
        unit: Square root of the features' mean variance; the kernel distance needs features of a known scale.
    """

    mean: torch.Tensor
    unit: torch.Tensor

    def __init__(self, shape: tuple[int, ...], num_classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        filters = 16
        layers: list[nn.Module] = []
        while not layers or max(height, width) > 8:
            layers += [nn.Conv2d(channels, filters, 3, stride=2, padding=1), nn.ReLU()]
            channels = filters
            filters = min(2 * filters, 64)
            height = (height + 1) // 2
            width = (width + 1) // 2
        layers += [nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(), nn.Flatten()]
        self.body = nn.Sequential(*layers, nn.Linear(32 * height * width, FEATURES))
        self.head = nn.Linear(FEATURES, num_classes)
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("unit", torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Return the logits of the classes, [B, K], given features [B, 64]."""
        return self.head(F.relu(features))


class FeatureClassifier:
    """A `FeatureExtractor` that runs one trained `FeatureNetwork` on the CPU."""

    num_features, num_modes = FEATURES, 0

    def __init__(self, network: FeatureNetwork) -> None:
        self.network = network.requires_grad_(False).eval()

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return (_in_batches(self.network, images) - self.network.mean) / self.network.unit

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        return _in_batches(lambda x: self.network.logits(self.network(x)).argmax(1), images)


class ChannelwiseExtractor:
    """A `FeatureExtractor` for images whose channels are images of another data set: it extracts each channel alone.

    The features of all channels are concatenated. The classes of all channels are read as one decimal number.

    Args:
        extractor: A feature extractor for a single channel.
        channels: Number of channels.
    """

    def __init__(self, extractor: FeatureExtractor, channels: int) -> None:
        self._extractor = extractor
        self._channels = channels
        self.num_features = channels * extractor.num_features
        self.num_modes = 10**channels

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return torch.cat([self._extractor.features(x) for x in torch.split(images, 1, dim=1)], 1)

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        digits = torch.stack([self._extractor.classify(x) for x in torch.split(images, 1, dim=1)], 1)
        place_values = 10 ** torch.arange(self._channels).flip(0)
        return digits @ place_values


def num_classes(data: DataSet) -> int:
    """Return the number of classes in training and test labels together, or 0 without labels."""
    if data.train_labels is None or data.test_labels is None:
        return 0
    return int(torch.cat([data.train_labels, data.test_labels]).max()) + 1


def train_classifier(data: DataSet) -> tuple[FeatureClassifier, float]:
    """Train a classifier on all training and test images of a data set.

    The result is the same for the same data set and the same number of threads.

    Returns:
        The classifier, and its error: the fraction of misclassified images among those that it was trained on.
    """
    assert data.train_labels is not None
    assert data.test_labels is not None
    images = torch.cat([data.train, data.test])
    labels = torch.cat([data.train_labels, data.test_labels])
    rng = Rng(0)
    # The names of these random streams are older than this module; a name is part of its stream's seed.
    with rng.initializing("judge"):
        network = FeatureNetwork(tuple(images.shape[1:]), num_classes(data))
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    updates = min(_MAX_UPDATES, math.ceil(_MAX_EPOCHS * len(images) / _BATCH_SIZE))
    optimizer = Adam(lr=2e-3, lr_decay_steps=updates).make(network.parameters(), Compute(torch.device("cpu")))
    shuffling = rng.torch("judge/batches", torch.device("cpu"))
    order = torch.empty(0, dtype=torch.int64)
    for update in range(updates):
        progress.count(update, updates, "updates")
        while len(order) < _BATCH_SIZE:
            order = torch.cat([order, torch.randperm(len(images), generator=shuffling)])
        batch, order = order[:_BATCH_SIZE], order[_BATCH_SIZE:]
        logits = network.logits(network(as_float(images[batch])))
        optimizer.minimize(F.cross_entropy(logits, labels[batch]))
    classifier = FeatureClassifier(network)
    features = classifier.features(images)
    network.mean = features.mean(0)
    network.unit = features.var(0).mean().sqrt()
    return classifier, float((classifier.classify(images) != labels).double().mean())


@torch.no_grad()
def _in_batches(function: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """Apply `function` to images [N, C, H, W] as floats, in batches that fit into memory."""
    return torch.cat([function(as_float(x)) for x in torch.split(images, _INFERENCE_BATCH_SIZE)])
