"""Compares a saved state with the state that a part has now, before the part takes it."""

from typing import Any

import numpy as np
import torch

from sandbox.storage.files import DamagedError


def require_alike(saved: Any, present: Any, path: str = "") -> None:
    """Do nothing if a saved tree may stand in the place of the present one.

    Lengths and keys may differ, and so may anything that is None now. Types must be the same, and so must the kinds and
    dimensions of tensors and arrays.

    Raises:
        DamagedError: With the path of the first value of another type.
    """
    match present:
        case None:
            return
        case bool() | str():
            alike = type(saved) is type(present)
        case int() | float():
            alike = isinstance(saved, int | float) and not isinstance(saved, bool)
            alike = alike and (isinstance(present, float) or abs(saved) < 2**128)  # generators have numbers of 128 bits
        case torch.Tensor():
            alike = isinstance(saved, torch.Tensor) and _form(saved) == _form(present)
        case np.ndarray():
            alike = isinstance(saved, np.ndarray) and _form(saved) == _form(present)
        case dict():
            alike = isinstance(saved, dict)
            for key in saved.keys() & present.keys() if alike else ():
                require_alike(saved[key], present[key], f"{path}/{key}")
        case list() | tuple():
            alike = isinstance(saved, list if isinstance(present, list) else tuple)
            for index, value in enumerate(saved if alike and present else ()):
                require_alike(value, present[min(index, len(present) - 1)], f"{path}/{index}")
        case _:
            return
    if not alike:
        raise DamagedError(f"{path or '/'} is {_shown(saved)}, where {_shown(present)} should be")


def _form(value: torch.Tensor | np.ndarray) -> tuple[Any, int]:
    return value.dtype, value.ndim


def _shown(value: Any) -> str:
    if isinstance(value, torch.Tensor | np.ndarray):
        return f"{value.dtype} of {value.ndim} dimensions"
    return type(value).__name__
