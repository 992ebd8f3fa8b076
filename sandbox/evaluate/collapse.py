"""An early warning of mode collapse during training."""

from collections.abc import Mapping
from typing import Any

MODES = 0.5  # fraction of all modes
DIVERSITY = 0.5  # relative to the test set; the images of a single class of digits are above it
PATIENCE = 2  # evaluations in a row; at the first one, a model or its second layer may have learned nothing yet

_ADVICE = (
    "If it is adversarial, let its discriminator see several samples at once (pack_size, or minibatch discrimination), "
    "use another loss, or lower the learning rate of the generator"
)


class CollapseWatch:
    """Warns once when a collapse has lasted for `PATIENCE` evaluations, and again only after a recovery."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def warning(self, step: int, scores: Mapping[str, Any]) -> str | None:
        """Return a warning for the user, or None if there is no collapse or the warning was given before.

        Args:
            step: The training step of the evaluation.
            scores: The result of `evaluate_generator`.
        """
        signs = []
        if "modes" in scores and scores["modes"] < MODES * scores["num_modes"]:
            signs.append(f"samples cover {scores['modes']:.0f} of {scores['num_modes']} modes")
        if "diversity" in scores and scores["diversity"] < DIVERSITY:
            signs.append(f"the distance of two samples is {scores['diversity']:.2f} times that of two test images")
        self._in_a_row = self._in_a_row + 1 if signs else 0
        if self._in_a_row != PATIENCE:
            return None
        found = " and ".join(signs)
        return f"the generator has collapsed, at step {step} and at the evaluation before: {found}. {_ADVICE}"
