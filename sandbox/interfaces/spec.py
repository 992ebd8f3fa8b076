"""`Spec`: the shapes that a learner is built for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spec:
    """What a source delivers: the shape of one observation or image, whether it is bytes, the actions or classes.

    `source_shape`: of what an image can be translated from, None where there is no such thing.
    """

    shape: tuple[int, ...]
    is_bytes: bool = True
    num_actions: int = 0
    num_classes: int = 0
    source_shape: tuple[int, ...] | None = None
