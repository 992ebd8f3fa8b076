"""An early warning of mode collapse and of divergence during training."""

from collections.abc import Mapping
from typing import Any

MODES = 0.5  # fraction of all modes
DIVERSITY = 0.5  # relative to the test set; the images of a single class of digits are above it
MIN_IMAGES = 10  # the distance of fewer test images is a matter of chance
PATIENCE = 2  # evaluations in a row; at the first one, a model or its second layer may have learned nothing yet
FAR_BELOW = 100.0  # nats; an untrained model may be a few dozen below independent pixels

_DIVERGED = (
    "the model has diverged, at step {}: its log_density is {:.4g} nats, and that of independent pixels {:.4g}. "
    "Lower the learning rate, e.g. to a tenth"
)
_ADVICE = (
    "If it is adversarial, let its discriminator see several samples at once (pack_size, or minibatch discrimination), "
    "use another loss, or lower the learning rate of the generator"
)


class CollapseWatch:
    """Warns once when a collapse has lasted for `PATIENCE` evaluations, or at a divergence; again after a recovery."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._diverged = False

    def warning(self, step: int, scores: Mapping[str, Any]) -> str | None:
        """Return a warning for the user, or None if there is no collapse or the warning was given before.

        Args:
            step: The training step of the evaluation.
            scores: The result of `evaluate_generator`.
        """
        signs = []
        if "modes" in scores and scores["modes"] < MODES * scores["num_modes"]:
            signs.append(f"samples cover {scores['modes']:.0f} of {scores['num_modes']} modes")
        enough = scores.get("images", MIN_IMAGES) >= MIN_IMAGES
        if enough and "diversity" in scores and scores["diversity"] < DIVERSITY:
            signs.append(f"the distance of two samples is {scores['diversity']:.2f} times that of two test images")
        self._in_a_row = self._in_a_row + 1 if signs else 0
        had_diverged, self._diverged = self._diverged, scores.get("density_margin_nats", 0.0) < -FAR_BELOW
        if self._diverged and not had_diverged:
            return _DIVERGED.format(step, scores["log_density"], scores["factorized_log_density"])
        if self._in_a_row != PATIENCE:
            return None
        found = " and ".join(signs)
        return f"the generator has collapsed, at step {step} and at the evaluation before: {found}. {_ADVICE}"
