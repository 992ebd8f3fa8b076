"""A small classifier of a data set's classes; its features measure the similarity of two sets of images.

The project trains the classifier itself, on the data set that a generator learns from, so that nothing is downloaded.
Distances between its features are comparable only under the same classifier.

It is the member `classifier` on the backbone `compact`. Deviations from one that is trained for accuracy: it sees the
test images too. Therefore all runs on a data set that is split by the run's seed share one classifier, and training and
test images, whose distance is the floor of each metric, look equally familiar to it.
"""

import math
from collections.abc import Callable

import torch

from sandbox.core.compute import Compute
from sandbox.core.progress import progress
from sandbox.core.rng import Rng
from sandbox.evaluate.feature_extractor import num_classes
from sandbox.generators.classifier import ClassifierConfig, ClassifierNetwork
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.compact import Compact
from sandbox.networks.inputs import as_float
from sandbox.optimizers.adam import Adam
from sandbox.streams.labeled import Labeled

PRESET = ClassifierConfig(backbone=Compact())
FEATURES = 64
SMALLEST, LARGEST = 8, 64  # pixels per side
_MAX_UPDATES, _MAX_EPOCHS = 2_000, 40
_BATCH_SIZE = 128
_INFERENCE_BATCH_SIZE = 1_000


class FeatureClassifier:
    """A `FeatureExtractor` that runs one trained classifier on the CPU.

    The features are taken before their nonlinearity, where they are closer to a Gaussian.

    Attributes:
        network: The classifier.
        mean: Mean features of the whole data set, [64].
        unit: Square root of the features' mean variance; the kernel distance needs features of a known scale.
    """

    num_features, num_modes = FEATURES, 0

    def __init__(self, network: ClassifierNetwork, mean: torch.Tensor, unit: torch.Tensor) -> None:
        self.network, self.mean, self.unit = network.requires_grad_(False).eval(), mean, unit

    @classmethod
    def of(cls, network: ClassifierNetwork, images: torch.Tensor) -> "FeatureClassifier":
        """Freeze a trained classifier; the scale of its features is that on `images` [N, C, H, W]."""
        features = _in_batches(lambda x: _before_nonlinearity(network, x), images)
        return cls(network, features.mean(0), features.var(0).mean().sqrt())

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features [N, 64] of images [N, C, H, W], bytes or floats in [0, 1]."""
        return (_in_batches(lambda x: _before_nonlinearity(self.network, x), images) - self.mean) / self.unit

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Return the most probable class of each image, [N]."""
        return _in_batches(lambda x: self.network(x).argmax(1), images)


def new_network(shape: tuple[int, ...], classes: int) -> ClassifierNetwork:
    """Return a network with the initial weights of all feature classifiers."""
    with Rng(0).initializing("judge"):  # a name is part of its stream's seed, and this one is older than the member
        return ClassifierNetwork(PRESET, shape, classes)


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
    shape, classes, cpu = tuple(images.shape[1:]), num_classes(data), torch.device("cpu")
    updates = min(_MAX_UPDATES, math.ceil(_MAX_EPOCHS * len(images) / _BATCH_SIZE))
    config = PRESET.model_copy(update={"optimizer": Adam(lr=2e-3, lr_decay_steps=updates)})
    learner = config.make(Spec(shape, num_classes=classes), Rng(0), Compute(cpu), NO_RUNS)
    learner.parts()["network"].load_state_dict(new_network(shape, classes).state_dict())
    shuffling = Rng(0).torch("judge/batches", cpu)
    order = torch.empty(0, dtype=torch.int64)
    for update in range(updates):
        progress.count(update, updates, "updates")
        while len(order) < _BATCH_SIZE:
            order = torch.cat([order, torch.randperm(len(images), generator=shuffling)])
        batch, order = order[:_BATCH_SIZE], order[_BATCH_SIZE:]
        learner.update(Labeled(images[batch], labels[batch]))
    classifier = FeatureClassifier.of(learner.network, images)
    return classifier, float((classifier.classify(images) != labels).double().mean())


def _before_nonlinearity(network: ClassifierNetwork, x: torch.Tensor) -> torch.Tensor:
    """Return the features [B, 64] of floats [B, C, H, W], before the last activation of the backbone."""
    *layers, _ = network.encoder.get_submodule("layers").children()
    for layer in layers:
        x = layer(x)
    return x


@torch.no_grad()
def _in_batches(function: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """Apply `function` to images [N, C, H, W] as floats, in batches that fit into memory."""
    return torch.cat([function(as_float(x)) for x in torch.split(images, _INFERENCE_BATCH_SIZE)])
