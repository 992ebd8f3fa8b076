"""Labels as data sets have them, and the classes 0..K-1 that models learn."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from sandbox.core.errors import UserError
from sandbox.core.messages import note

_MAX_CLASSES = 4_096  # a table of classes by classes then takes 134 MB

Label = int | str


class Labels(NamedTuple):
    """Classes of the training and the test images, [N] int64 in 0..K-1, and the label that each class stands for."""

    train: torch.Tensor
    test: torch.Tensor
    names: tuple[str, ...]


def classes_of(train: Sequence[Label] | np.ndarray, test: Sequence[Label] | np.ndarray, where: str) -> Labels:
    """Return classes 0..K-1 for the labels that occur, in the order of the labels.

    Args:
        train: Labels of the training images, all integers or all words.
        test: Labels of the test images.
        where: Place of the labels, for messages.

    Raises:
        UserError: If there are too many different labels.
    """
    known, places = np.unique(np.array([*train, *test]), return_inverse=True)
    if len(known) > _MAX_CLASSES:
        raise UserError(
            f"{where}: there are {len(known):,} different labels in {len(places):,} images, and at most "
            f"{_MAX_CLASSES:,} classes can be learned. Are these numbers or names rather than classes?"
        )
    classes = torch.from_numpy(places.reshape(-1).astype(np.int64))
    names = tuple(str(label) for label in known)
    labels = Labels(classes[: len(train)], classes[len(train) :], names)
    seen = set(labels.train.tolist())
    if unseen := [names[place] for place in sorted(set(labels.test.tolist()) - seen)]:
        note(f"{where}: {len(unseen)} of {len(names)} classes occur in the test set only: {', '.join(unseen[:10])}")
    return labels
