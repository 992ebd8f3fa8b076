"""Checks of the results of `reset` and `step`: their number, rewards, ends of episodes and infos."""

from typing import Any, NamedTuple

import numpy as np

from sandbox.envs._gym.errors import MisfitError, old_api_hint, type_name
from sandbox.envs._gym.parts import NUMBERS, array_of

_LARGEST = float(np.finfo(np.float32).max)


class StepOutcome(NamedTuple):
    """The checked results of a step; `is_success` is None unless the info says it."""

    observation: np.ndarray
    reward: float
    terminated: bool
    truncated: bool
    is_success: bool | None


def unpacked(result: Any, count: int, needed: str) -> tuple[Any, ...]:
    """Return the results of a call, of which the last one is the info.

    Raises:
        MisfitError: Unless they are a tuple of `count`, with a dict at the end.
    """
    if not isinstance(result, tuple) or len(result) != count:
        got = f"{len(result)} values" if isinstance(result, tuple) else type_name(result)
        raise MisfitError(f"returned {got}, not {needed}.{old_api_hint('values to unpack')}".removesuffix("."))
    if not isinstance(result[-1], dict):
        raise MisfitError(f"returned {type_name(result[-1])} as info, which must be a dict")
    return result


def reward_of(value: Any) -> float:
    """Return a reward as a number.

    Raises:
        MisfitError: Unless it is one finite number.
    """
    array = value if isinstance(value, float) else _number(value)
    if array is None:
        several = "; let a wrapper return a weighted sum" if isinstance(value, np.ndarray | list | tuple) else ""
        raise MisfitError(f"returned the reward {_shown(value)}, which must be one number{several}")
    reward = float(array)
    if not abs(reward) <= _LARGEST:  # also for NaN
        raise MisfitError(f"returned the reward {reward}, which is not finite in float32")
    return reward


def end_of(value: Any, name: str) -> bool:
    """Return `terminated` or `truncated`.

    Raises:
        MisfitError: Unless it is true or false, or 1 or 0.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    array = _number(value)
    if array is None or array.dtype.kind == "f" or array not in (0, 1):
        raise MisfitError(f"returned {name}={_shown(value)}, which must be true or false")
    return bool(array)


def success_of(info: dict[str, Any]) -> bool | None:
    """Return whether the info calls the episode a success, or None if it does not say.

    Raises:
        MisfitError: If it is anything but true, false, 1 or 0.
    """
    value = info.get("is_success")
    if value is None:
        return None
    array = _number(value)
    if array is None or array not in (0, 1):
        raise MisfitError(f"returned info['is_success']={_shown(value)}, which must be true or false")
    return bool(array)


def _number(value: Any) -> np.ndarray | None:
    """Return a number as an array [], also from an array with a single entry; None for anything else."""
    try:
        array = array_of(value)
    except MisfitError:
        return None
    return array.reshape(()) if array.dtype.kind in NUMBERS and array.size == 1 else None


def _shown(value: Any) -> str:
    try:
        text = " ".join(repr(value).split())
    except Exception:  # somebody else's `__repr__`
        return type_name(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
