"""Results of an evaluation: each figure is a finite number, or is missing with the reason.

A figure `name` that cannot be had is replaced by `name_missing`, a message.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
from torch.linalg import LinAlgError  # type: ignore[attr-defined]

from sandbox.core.errors import UserError
from sandbox.ops.statistics import half_interval, proportion_half_interval

Result = dict[str, float | str | int]

MISSING = "_missing"
_NOT_FINITE = (
    "the result is {}, so the model, its samples or the data hold numbers that are not finite or far too large"
)


def missing(reason: str, *names: str) -> Result:
    """Return the same reason for each of the figures `names`."""
    return {f"{name}{MISSING}": reason for name in names}


def attempt(function: Callable[[], Result], *names: str) -> Result:
    """Return the result of a function, or why the figures `names` cannot be had.

    Args:
        function: Measures something. A `UserError` says why it cannot; a matrix without a decomposition, or numbers
            that are not probabilities, are reasons, too.
        names: The figures that are missing then.
    """
    try:
        return finite(function())
    except UserError as error:  # such as a model with too many states to enumerate
        return missing(str(error), *names)
    except (LinAlgError, np.linalg.LinAlgError, ArithmeticError) as error:
        text = str(error).splitlines() or [type(error).__name__]
        return missing(f"it cannot be computed from these numbers: {text[0]}", *names)


def finite(result: Mapping[str, float | str | int]) -> Result:
    """Return a result whose numbers are all finite: others are missing."""
    found: Result = {}
    for name, value in result.items():
        if isinstance(value, float) and not math.isfinite(value):
            found |= missing(_NOT_FINITE.format(value), name)
        else:
            found[name] = value
    return found


def mean_and_interval(name: str, scores: np.ndarray) -> Result:
    """Return the mean of scores [N] and `<name>_ci95`, half its 95 % confidence interval; one score has no interval."""
    return {name: float(scores.mean())} | interval(name, scores)


def interval(name: str, scores: np.ndarray) -> Result:
    """Return `<name>_ci95`, half the 95 % confidence interval of the mean of scores [N]; one score has none."""
    if len(scores) < 2:
        return missing("a single test image has no spread: use more of them", f"{name}_ci95")
    if not np.isfinite(scores).all():
        return missing("some images have a result that is not finite", f"{name}_ci95")
    return {f"{name}_ci95": half_interval(scores)}


def proportion(name: str, hits: np.ndarray) -> Result:
    """Return the mean of scores 0 and 1, [N], and `<name>_ci95`, half its 95 % confidence interval."""
    return {name: float(hits.mean()), f"{name}_ci95": proportion_half_interval(hits)}
