"""The parts of an observation: each leaf of a space checks its values and turns them into numbers."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from gymnasium import Space, spaces

from sandbox.envs._gym.errors import MisfitError, type_name

NUMBERS = "biuf"  # kinds of NumPy's types that are numbers


def is_plain_bytes(space: spaces.Box) -> bool:
    """Return whether values are bytes of the full range, which networks scale to [0, 1] by themselves."""
    return bool(space.dtype == np.uint8 and (space.low == 0).all() and (space.high == 255).all())


def array_of(value: Any) -> np.ndarray:
    """Return a value of an environment as an array.

    Raises:
        MisfitError: If it cannot be converted.
    """
    try:
        return np.asarray(value)
    except Exception as error:  # it calls the `__array__` or `__len__` of somebody else's object
        raise MisfitError(f"type {type_name(value)}, which is no array ({error})") from None


def _numbers_of(value: Any, shape: tuple[int, ...], name: str, needed: Callable[[], str]) -> np.ndarray:
    """Return a value as an array of numbers of this shape; `needed` says for messages what the space declares.

    Raises:
        MisfitError: If it is none.
    """
    try:
        given = array_of(value)
    except MisfitError as misfit:
        raise MisfitError(f"{name} {misfit}, but {needed()}") from None
    if given.dtype.kind not in NUMBERS:
        raise MisfitError(f"{name} type {type_name(value)} and dtype {given.dtype}, but {needed()}")
    if given.shape != shape:
        raise MisfitError(f"{name} shape {given.shape} and dtype {given.dtype}, but {needed()}")
    return given


def as_declared(value: Any, space: spaces.Box, name: str) -> np.ndarray:
    """Return a value as an array of the shape and dtype that a Box declares.

    Raises:
        MisfitError: For another shape, or for values that the declared dtype cannot hold.
    """
    given = _numbers_of(value, space.shape, name, lambda: declared(space))
    if given.dtype != space.dtype:
        with np.errstate(all="ignore"):
            cast = given.astype(space.dtype)
        lost = np.isfinite(given) & ~np.isfinite(cast) if cast.dtype.kind == "f" else cast != given
        if lost.any():
            raise MisfitError(
                f"{name} dtype {given.dtype} and values such as {given[lost].flat[0]}, but {declared(space)}"
            )
        given = cast
    return given


def as_floats(array: np.ndarray, name: str) -> np.ndarray:
    """Return an array as float32.

    Raises:
        MisfitError: If a value is not finite, or too large for float32.
    """
    floats = array
    if array.dtype != np.float32:
        with np.errstate(over="ignore"):
            floats = array.astype(np.float32)
    if not np.isfinite(floats).all():
        raise MisfitError(f"{name} {array[~np.isfinite(floats)].flat[0]}, which is not finite in float32")
    return floats


def declared(space: spaces.Box) -> str:
    """Return shape and dtype of a Box, for messages."""
    return f"observation_space declares shape {space.shape} and dtype {space.dtype}"


class Part(Protocol):
    """A leaf of an observation space."""

    @property
    def counts(self) -> tuple[int, ...] | None:
        """Numbers of choices of each of its integers, for a joint index; None for a Box."""

    @property
    def size(self) -> int:
        """Numbers of its vector."""

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and the highest numbers of the vector."""

    def vector(self, value: Any, name: str) -> np.ndarray:
        """Return a value as a vector of float32; raises MisfitError."""

    def integers(self, value: Any, name: str) -> list[int]:
        """Return the integers of a value, each from 0; raises MisfitError."""


class BoxPart:
    """A Box as a vector; bytes are scaled to [0, 1] by their declared bounds."""

    counts = None

    def __init__(self, space: spaces.Box) -> None:
        self._space, self._scale = space, ByteScale(space) if space.dtype == np.uint8 else None
        self.size = math.prod(space.shape)

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the declared bounds, or 0 and 1 for bytes."""
        if self._scale is not None:
            return np.zeros(self.size, np.float32), np.ones(self.size, np.float32)
        low, high = float_bounds(self._space)
        return low.ravel(), high.ravel()

    def vector(self, value: Any, name: str) -> np.ndarray:
        """Return the numbers."""
        array = as_declared(value, self._space, name)
        return (as_floats(array, name) if self._scale is None else self._scale(array)).ravel()

    def integers(self, value: Any, name: str) -> list[int]:
        """Raise `MisfitError`: a Box has no integers; callers look at `counts` first."""
        raise MisfitError(f"{name} numbers of a Box, where integers are needed")


class IntegerPart:
    """Integers with a number of choices each, one-hot in a vector: Discrete and MultiDiscrete; MultiBinary as it is."""

    def __init__(self, shape: tuple[int, ...], starts: np.ndarray, counts: np.ndarray, one_hot: bool) -> None:
        self._shape, self._starts, self._one_hot = shape, starts.ravel(), one_hot
        self._counts = counts.ravel()
        self.counts = tuple(int(count) for count in self._counts)
        self.size = sum(self.counts) if one_hot else len(self.counts)
        self._offsets = np.concatenate([[0], np.cumsum(self._counts)[:-1]]).astype(np.int64)

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return 0 and 1."""
        return np.zeros(self.size, np.float32), np.ones(self.size, np.float32)

    def vector(self, value: Any, name: str) -> np.ndarray:
        """Return a one for each integer, or the bits."""
        numbers = np.array(self.integers(value, name), np.int64)
        if not self._one_hot:
            return numbers.astype(np.float32)
        vector = np.zeros(self.size, np.float32)
        vector[self._offsets + numbers] = 1
        return vector

    def integers(self, value: Any, name: str) -> list[int]:
        """Return the integers, each from 0."""
        given = _numbers_of(
            value, self._shape, name, lambda: f"observation_space declares integers of shape {self._shape}"
        )
        flat = given.ravel()
        numbers = flat.astype(np.int64) - self._starts
        if (flat.dtype.kind == "f" and (flat % 1 != 0).any()) or (numbers < 0).any() or (numbers >= self._counts).any():
            last = self._starts + self._counts - 1
            raise MisfitError(f"{name} {flat.tolist()}, but observation_space declares {self._starts} to {last}")
        return numbers.tolist()


class ByteScale:
    """Bytes [0, 255] or of other declared bounds, scaled to [0, 1]."""

    def __init__(self, space: spaces.Box) -> None:
        self._low = space.low.astype(np.float32)
        width = space.high.astype(np.float32) - self._low
        self._width = np.where(width > 0, width, 1).astype(np.float32)

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """Return the numbers as float32."""
        return (array.astype(np.float32) - self._low) / self._width


def float_bounds(space: spaces.Box) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of a Box as float32; those beyond it are infinite."""
    with np.errstate(over="ignore"):
        return space.low.astype(np.float32), space.high.astype(np.float32)


class Leaf(NamedTuple):
    """A leaf of a space: its place, and what it is there; `part` is None for kinds without a fixed length."""

    path: tuple[str | int, ...]
    space: Space[Any]
    part: Part | None


def leaves(space: Space[Any], path: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """Yield the leaves of a space, in the order in which Gymnasium flattens them."""
    match space:
        case spaces.Dict():
            for key, inner in space.spaces.items():
                yield from leaves(inner, (*path, key))
        case spaces.Tuple():
            for index, inner in enumerate(space.spaces):
                yield from leaves(inner, (*path, index))
        case spaces.Box() if space.dtype is not None and space.dtype.kind in NUMBERS:
            yield Leaf(path, space, BoxPart(space))
        case spaces.Discrete():
            yield Leaf(path, space, IntegerPart((), np.array([space.start]), np.array([space.n]), True))
        case spaces.MultiDiscrete():
            yield Leaf(path, space, IntegerPart(space.shape, space.start, space.nvec, True))
        case spaces.MultiBinary():
            zeros = np.zeros(space.shape, np.int64)
            yield Leaf(path, space, IntegerPart(space.shape, zeros, zeros + 2, False))
        case _:
            yield Leaf(path, space, None)


def value_at(observation: Any, path: tuple[str | int, ...]) -> Any:
    """Return the part of an observation at a path.

    Raises:
        MisfitError: If it is missing.
    """
    value = observation
    for depth, key in enumerate(path):
        kind: Any = Mapping | tuple | list if isinstance(key, int) else Mapping  # a Dict may have integers as keys, too
        if not isinstance(value, kind):
            raise MisfitError(f"{place(path[:depth])} type {type_name(value)}, but observation_space has {key!r} there")
        try:
            value = value[key]
        except (KeyError, IndexError):
            raise MisfitError(f"{place(path[:depth])} no part {key!r}, which observation_space has") from None
    return value


def place(path: tuple[str | int, ...]) -> str:
    """Return the words for a part of an observation, followed by its fault."""
    return f"observation{''.join(f'[{key!r}]' for key in path)} has"
