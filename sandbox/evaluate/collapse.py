"""An early warning for a generator that shows less and less of its data while it is trained."""

from collections.abc import Mapping
from typing import Any

MODES = 0.5  # of those that there are
DIVERSITY = 0.5  # of the test set's: less than the images of a single class of digits have
PATIENCE = 2  # evaluations in a row: at the first one a model, or its second layer, may have learnt nothing yet

_TRY = (
    "If it is adversarial, let its discriminator see several samples at once (pack_size, or minibatch discrimination), "
    "or take another loss; a smaller learning rate of the generator may do, too"
)


class CollapseWatch:
    """It speaks once a collapse has lasted, and not again before that is over."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def look(self, step: int, scores: Mapping[str, Any]) -> str | None:
        """A line for the person at the terminal, of what `evaluate_generator` says; None if all is well or known."""
        signs = []
        if "modes" in scores and scores["modes"] < MODES * scores["num_modes"]:
            signs.append(f"samples are of {scores['modes']:.0f} of {scores['num_modes']} modes")
        if "diversity" in scores and scores["diversity"] < DIVERSITY:
            signs.append(f"two samples are only {scores['diversity']:.2f} times as far apart as two test ones")
        self._in_a_row = self._in_a_row + 1 if signs else 0
        if self._in_a_row != PATIENCE:
            return None
        return f"the generator has collapsed, at step {step} as at the evaluation before: {' and '.join(signs)}. {_TRY}"
