"""Actions of any space as Discrete ones from 0, or as a Box of float32."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space, spaces

from sandbox.core.errors import UserError

_MOST = 1024  # combinations of several choices that become Discrete actions


class ActionDecoder(NamedTuple):
    """The actions of an environment as agents choose them.

    Attributes:
        space: What agents choose from.
        decode: Turns an action of `space` into one of the environment.
    """

    space: Space[Any]
    decode: Callable[[Any], Any]


def decoder_of(space: Any, env_id: str) -> ActionDecoder:
    """Return the decoder of an action space.

    Raises:
        UserError: For a space that agents cannot choose from.
    """
    match space:
        case spaces.Discrete():
            start = space.start
            return ActionDecoder(spaces.Discrete(int(space.n)), lambda action: action + start)
        case spaces.Box() if np.issubdtype(space.dtype, np.floating) and 0 not in space.shape:
            return _box(space)
        case spaces.MultiDiscrete() if _combinations(space.nvec) <= _MOST:
            return _numbered(np.asarray(space.nvec), np.asarray(space.start), space.dtype)
        case spaces.MultiBinary() if _combinations(np.full(space.shape, 2)) <= _MOST:
            return _numbered(np.full(space.shape, 2), np.zeros(space.shape, np.int64), space.dtype)
    raise UserError(
        f"env.id={env_id}: agents cannot choose from its actions {space}. They need Discrete ones, a Box of floats, or "
        f"at most {_MOST} combinations of MultiDiscrete or MultiBinary; wrap the environment, or set another env.id."
    )


def _combinations(counts: np.ndarray) -> int:
    return math.prod(int(count) for count in counts.ravel())


def _numbered(counts: np.ndarray, starts: np.ndarray, dtype: Any) -> ActionDecoder:
    """Return the decoder of several choices, whose combinations are numbered."""
    sizes = tuple(int(count) for count in counts.ravel())

    def decode(action: Any) -> np.ndarray:
        return (np.array(np.unravel_index(int(action), sizes)).reshape(counts.shape) + starts).astype(dtype)

    return ActionDecoder(spaces.Discrete(_combinations(counts)), decode)


def _box(space: spaces.Box) -> ActionDecoder:
    """Return the decoder of a Box: float32, of at least one axis; rounding never leaves the declared bounds."""
    shape, dtype, low, high = space.shape, space.dtype, space.low, space.high
    with np.errstate(over="ignore"):
        ends = [np.reshape(end, shape or (1,)).astype(np.float32) for end in (low, high)]

    def decode(action: np.ndarray) -> np.ndarray:
        return np.clip(np.asarray(action).reshape(shape).astype(dtype), low, high)

    return ActionDecoder(spaces.Box(ends[0], ends[1], dtype=np.float32), decode)
