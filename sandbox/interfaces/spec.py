"""`Spec`: the shapes that a learner is built for."""

import math
from dataclasses import dataclass, field

from gymnasium import spaces


@dataclass(frozen=True)
class Spec:
    """The shapes of observations or images, and the actions or the number of classes.

    Attributes:
        shape: Shape of one observation of an environment, or of one image or point of a data set.
        is_bytes: True for uint8 values in 0..255, False for floats.
        num_actions: Number of discrete actions; 0 for a Box of actions and for data sets.
        num_classes: Number of classes of a data set; 0 for unlabeled data and for environments.
        num_numbers: Length of the vector of numbers to predict from each image of a data set; 0 if it has none.
        source_shape: Shape of one source image, from which an image is translated; None for data without source images.
        action_space: Discrete or Box; None for data sets. `num_actions` alone stands for a Discrete one.
    """

    shape: tuple[int, ...]
    is_bytes: bool = True
    num_actions: int = 0
    num_classes: int = 0
    num_numbers: int = 0
    source_shape: tuple[int, ...] | None = None
    action_space: spaces.Discrete | spaces.Box | None = field(default=None, hash=False)

    @property
    def num_bytes(self) -> int:
        """Bytes of one observation or image, as it is stored."""
        return math.prod(self.shape) * (1 if self.is_bytes else 4)

    def __post_init__(self) -> None:
        if self.action_space is None and self.num_actions:
            object.__setattr__(self, "action_space", spaces.Discrete(self.num_actions))
