"""Which classes a generator takes for which."""

from dataclasses import dataclass

import numpy as np
import torch

from sandbox.interfaces.generator import Classifier
from sandbox.ops.statistics import half_interval

_BATCH = 500


@dataclass(frozen=True)
class Confusion:
    """`counts` [K, K]: images by their class (rows) and by the guess (columns); `wrong` [N]: the wrong ones' places.

    `guesses` [N] are those of the wrong ones, which come class by class.
    """

    counts: torch.Tensor
    wrong: torch.Tensor
    guesses: torch.Tensor

    @property
    def error(self) -> float:
        """The share of wrong ones."""
        return len(self.wrong) / int(self.counts.sum())

    @property
    def error_ci95(self) -> float:
        """Half the 95 % interval of the error."""
        right = int(self.counts.sum()) - len(self.wrong)
        return half_interval(np.repeat([0.0, 1.0], [right, len(self.wrong)]))


def confusion(classifier: Classifier, images: torch.Tensor, labels: torch.Tensor) -> Confusion:
    """Of images [N, C, H, W] and their classes [N]."""
    p = torch.cat([classifier.classify(x).cpu() for x in torch.split(images, _BATCH)])
    guesses, classes = p.argmax(1), max(p.shape[1], int(labels.max()) + 1)
    counts = torch.bincount(labels * classes + guesses, minlength=classes**2).view(classes, classes)
    wrong = (guesses != labels).nonzero()[:, 0]
    wrong = wrong[labels[wrong].argsort(stable=True)]
    return Confusion(counts, wrong, guesses[wrong])
