"""`FeatureExtractor`: a frozen model whose features measure the similarity of two sets of images.

`sandbox.runs` makes one from a classifier of the data set. Distances are comparable only under the same extractor.
"""

from typing import Protocol

import torch

from sandbox.interfaces.dataset import DataSet


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
