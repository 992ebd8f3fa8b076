"""`Split`: how the rows of a batch can be divided among processes that train one run together."""

from collections.abc import Mapping
from typing import NamedTuple

from sandbox.core.processes import Reduction


class Split(NamedTuple):
    """A declaration that the gradient of a batch is the sum or the mean of those of its parts.

    A learner that declares it draws the random numbers of an update for all rows, through `Processes.drawn`, and joins
    what it keeps of a batch.

    Attributes:
        reduction: Whether the loss is the sum or the mean over the rows.
        sizes: Numbers of rows that are divided, by the option that sets them.
    """

    reduction: Reduction
    sizes: Mapping[str, int]


class Whole(NamedTuple):
    """A declaration that a learner needs whole batches.

    Attributes:
        reason: Why, as the end of a sentence.
    """

    reason: str
