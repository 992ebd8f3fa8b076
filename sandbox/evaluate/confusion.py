"""The confusion matrix of a generator's classifier."""

from dataclasses import dataclass

import numpy as np
import torch

from sandbox.interfaces.capabilities import HasClassifier
from sandbox.ops.statistics import proportion_half_interval

_BATCH_SIZE = 500


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix, and the misclassified images.

    Attributes:
        counts: Number of images by their class (rows) and the predicted class (columns), [K, K].
        wrong: Indices of the misclassified images, class by class, [N].
        guesses: Predicted classes of those images, [N].
    """

    counts: torch.Tensor
    wrong: torch.Tensor
    guesses: torch.Tensor

    @property
    def error(self) -> float:
        """The fraction of misclassified images."""
        return len(self.wrong) / int(self.counts.sum())

    @property
    def error_ci95(self) -> float:
        """Half the 95 % confidence interval of the error."""
        right = int(self.counts.sum()) - len(self.wrong)
        return proportion_half_interval(np.repeat([0.0, 1.0], [right, len(self.wrong)]))


def confusion(classifier: HasClassifier, images: torch.Tensor, labels: torch.Tensor) -> Confusion:
    """Return the confusion matrix on images [N, C, H, W] of classes `labels` [N]."""
    p = torch.cat([classifier.classify(x).cpu() for x in torch.split(images, _BATCH_SIZE)])
    guesses = p.argmax(1)
    classes = max(p.shape[1], int(labels.max()) + 1)
    counts = torch.bincount(labels * classes + guesses, minlength=classes**2).view(classes, classes)
    wrong = (guesses != labels).nonzero()[:, 0]
    wrong = wrong[labels[wrong].argsort(stable=True)]
    return Confusion(counts, wrong, guesses[wrong])
