"""A small classifier of a data set's classes, whose features say how alike two sets of images are.

It is trained by the project itself on the data that a generator learns from, so that nothing is downloaded. Figures
made of its features hold for it alone: another classifier, other figures.

Deviations from a classifier that is to classify well: it sees the test images, too. A data set that is split by the
run's seed has one classifier for all its runs; and training and test images, which make the floor, are alike to it.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.networks.inputs import as_float
from sandbox.optimizers.adam import Adam

FEATURES = 64
SMALLEST, LARGEST = 8, 64  # pixels a side
_UPDATES, _EPOCHS, _BATCH = 2_000, 40, 128  # at most of either
_LOOK = 1_000  # images at a time


class FeatureExtractor(Protocol):
    """What compares images; frozen."""

    num_features: int
    num_modes: int  # how many kinds of images there are, if counting them is what the data are for; else 0

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Bytes or floats in [0, 1], [N, C, H, W] -> [N, F] float32."""

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """[N, C, H, W] -> the likeliest class of each, [N]."""


class Network(nn.Module):
    """[B, C, H, W] in [0, 1] -> features [B, 64], before their nonlinearity: they are nearer to a Gaussian there.

    `mean` and `unit`: of the features of all of the data, and the root of their mean variance. Kernels need a unit.
    """

    mean: torch.Tensor
    unit: torch.Tensor

    def __init__(self, shape: tuple[int, ...], num_classes: int) -> None:
        super().__init__()
        channels, *size = shape
        layers: list[nn.Module] = []
        width = 16
        while not layers or max(size) > 8:
            layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.ReLU()]
            channels, width, size = width, min(2 * width, 64), [(side + 1) // 2 for side in size]
        layers += [nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(), nn.Flatten()]
        self.body = nn.Sequential(*layers, nn.Linear(32 * size[0] * size[1], FEATURES))
        self.head = nn.Linear(FEATURES, num_classes)
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("unit", torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """[B, 64] -> [B, K]."""
        return self.head(F.relu(features))


class FeatureClassifier:
    """A `FeatureExtractor` of one network, on the CPU."""

    num_features, num_modes = FEATURES, 0

    def __init__(self, network: Network) -> None:
        self.network = network.requires_grad_(False).eval()

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return (_in_parts(self.network, images) - self.network.mean) / self.network.unit

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        return _in_parts(lambda x: self.network.logits(self.network(x)).argmax(1), images)


class Channelwise:
    """A `FeatureExtractor` of images whose channels are images of another set each: that set's, channel by channel.

    The features are the channels' side by side; the class is the channels' classes, read as one decimal number.
    """

    def __init__(self, one: FeatureExtractor, channels: int) -> None:
        self._one, self._channels = one, channels
        self.num_features, self.num_modes = channels * one.num_features, 10**channels

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return torch.cat([self._one.features(x) for x in torch.split(images, 1, dim=1)], 1)

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        places = 10 ** torch.arange(self._channels).flip(0)
        return torch.stack([self._one.classify(x) for x in torch.split(images, 1, dim=1)], 1) @ places


def num_classes(data: DataSet) -> int:
    """As the largest label says; 0 if there are none."""
    if data.train_labels is None or data.test_labels is None:
        return 0
    return int(torch.cat([data.train_labels, data.test_labels]).max()) + 1


def learn(data: DataSet) -> tuple[FeatureClassifier, float]:
    """A classifier of the set's classes, the same for the same set and number of threads; and its share of mistakes.

    Those are counted on the images that it was trained on: all of the set's.
    """
    assert data.train_labels is not None
    assert data.test_labels is not None
    images, labels = torch.cat([data.train, data.test]), torch.cat([data.train_labels, data.test_labels])
    rng = Rng(0)
    with rng.initializing("judge"):
        network = Network(tuple(images.shape[1:]), num_classes(data))
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    updates = min(_UPDATES, -(-_EPOCHS * len(images) // _BATCH))
    optimizer = Adam(lr=2e-3, lr_decay_steps=updates).make(network.parameters(), Compute(torch.device("cpu")))
    shuffling = rng.torch("judge/batches", torch.device("cpu"))
    rest = torch.empty(0, dtype=torch.int64)
    for _ in range(updates):
        while len(rest) < _BATCH:
            rest = torch.cat([rest, torch.randperm(len(images), generator=shuffling)])
        batch, rest = rest[:_BATCH], rest[_BATCH:]
        logits = network.logits(network(as_float(images[batch])))
        optimizer.minimize(F.cross_entropy(logits, labels[batch]))
    judge = FeatureClassifier(network)
    features = judge.features(images)
    network.mean, network.unit = features.mean(0), features.var(0).mean().sqrt()
    return judge, float((judge.classify(images) != labels).double().mean())


@torch.no_grad()
def _in_parts(look: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    return torch.cat([look(as_float(x)) for x in torch.split(images, _LOOK)])
