"""`Spec`: the shapes that a learner is built for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spec:
    """The shapes of observations or images, and the number of actions or classes.

    Attributes:
        shape: Shape of one observation of an environment, or of one image or point of a data set.
        is_bytes: True for uint8 values in 0..255, False for floats.
        num_actions: Number of discrete actions; 0 for data sets.
        num_classes: Number of classes of a data set; 0 for unlabeled data and for environments.
        source_shape: Shape of one source image, from which an image is translated; None for data without source images.
    """

    shape: tuple[int, ...]
    is_bytes: bool = True
    num_actions: int = 0
    num_classes: int = 0
    source_shape: tuple[int, ...] | None = None
