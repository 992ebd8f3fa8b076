"""Observations of any space as one array: images with their channels first, other numbers as float32."""

import math
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from gymnasium import Space, spaces

from sandbox.core.errors import UserError
from sandbox.envs._gym.errors import note_once
from sandbox.envs._gym.parts import (
    ByteScale,
    Leaf,
    Part,
    as_declared,
    as_floats,
    declared,
    float_bounds,
    is_plain_bytes,
    leaves,
    place,
    value_at,
)

_LARGEST = 1_000_000  # numbers of a vector
_SMALL_IMAGE = 16  # pixels; smaller matrices are rarely images
_EXACT = 2**24  # integers up to it are exact in float32
Channels = Literal["auto", "first", "last", "add"]


class Layout(NamedTuple):
    """The form in which observations are shown; see the options of `gym`.

    Attributes:
        env_id: Id of the environment, for messages.
        channels: Where the channels of images are.
        parts: Parts of a Dict that are shown; None shows all.
        as_index: Show one index of all integers, one-hot.
    """

    env_id: str
    channels: Channels
    parts: tuple[str, ...] | None
    as_index: bool


class Encoder(Protocol):
    """Turns an observation into an array."""

    @property
    def space(self) -> spaces.Box:
        """The space of the arrays."""

    def __call__(self, observation: Any) -> np.ndarray:
        """Return the array; raises MisfitError for an observation that does not fit."""


def encoder_of(space: Any, layout: Layout) -> Encoder:
    """Return the encoder of an observation space.

    Raises:
        UserError: For a space that does not fit into an array of fixed length, and for options that do not fit it.
    """
    where = f"env.id={layout.env_id}"
    if not isinstance(space, Space):
        raise UserError(f"{where}: its observation_space is {space!r}, no Space of Gymnasium. Mend the environment.")
    chosen, inner, prefix = _chosen(space, layout), space, tuple[Any, ...]()
    if isinstance(chosen, spaces.Dict) and layout.parts is not None and len(layout.parts) == 1:
        ((name, inner),) = chosen.spaces.items()
        prefix = (name,)  # A single part keeps its shape.
    if isinstance(inner, spaces.Box) and not layout.as_index and inner.dtype is not None and inner.dtype.kind in "biuf":
        return _BoxEncoder(inner, layout, prefix)
    if layout.channels != "auto":
        raise UserError(
            f"{where}: env.channels={layout.channels} is for images, and observations are {space}. Leave it out."
        )
    found = list(leaves(chosen))
    known, unknown = ([leaf for leaf in found if (leaf.part is None) == missing] for missing in (False, True))
    if not known:
        raise UserError(
            f"{where}: its observations {space} have no fixed length or no numbers, and do not fit into an array. "
            "Wrap the environment so that it returns a Box, or set another env.id."
        )
    for leaf in unknown:
        fault = "no numbers" if isinstance(leaf.space, spaces.Box) else "no fixed length"
        kind = type(leaf.space).__name__
        note_once(f"{where}: {place(leaf.path).removesuffix(' has')} is left out: {kind} has {fault}")
    return _IndexEncoder(known, layout) if layout.as_index else _VectorEncoder(known, layout)


def _chosen(space: Space[Any], layout: Layout) -> Space[Any]:
    """Return the space of the parts that are shown."""
    if layout.parts is None:
        return space
    known = [str(name) for name in space.spaces] if isinstance(space, spaces.Dict) else []
    if not isinstance(space, spaces.Dict) or not layout.parts or set(layout.parts) - set(known):
        has = f"the parts {', '.join(known)}" if known else f"no parts but {space}"
        raise UserError(
            f"env.parts={list(layout.parts)}: an observation of {layout.env_id} has {has}. Leave env.parts out, or "
            "name some of them."
        )
    return spaces.Dict([(name, inner) for name, inner in space.spaces.items() if str(name) in layout.parts])


class _BoxEncoder:
    """A Box in its own shape, or as an image with its channels first."""

    def __init__(self, space: spaces.Box, layout: Layout, prefix: tuple[Any, ...]) -> None:
        if not math.prod(space.shape):
            raise UserError(f"env.id={layout.env_id}: {declared(space)}: no numbers. Mend the environment.")
        self._declared, self._prefix, self._name = space, prefix, place(prefix)
        self._id = layout.env_id
        self._axes, shape = axes_of(space.shape, layout), space.shape
        self._scale = ByteScale(space) if space.dtype == np.uint8 and not is_plain_bytes(space) else None
        self._as_bytes = is_plain_bytes(space)
        self._integers = space.dtype is not None and space.dtype.kind in "iu" and space.dtype.itemsize > 2
        low, high = (space.low, space.high) if self._as_bytes else float_bounds(space)
        if self._scale is not None:
            low, high = np.zeros(shape, np.float32), np.ones(shape, np.float32)
        self._shape = _turned(low, self._axes).shape
        self.space = spaces.Box(_turned(low, self._axes), _turned(high, self._axes), dtype=low.dtype.type)

    def __call__(self, observation: Any) -> np.ndarray:
        """Return the array."""
        array = as_declared(value_at(observation, self._prefix), self._declared, self._name)
        if self._scale is not None:
            array = self._scale(array)
        elif not self._as_bytes:
            if self._integers and (abs(array.astype(np.float64)) > _EXACT).any():
                note_once(f"env.id={self._id}: observations above {_EXACT} are rounded to float32")
            array = as_floats(array, self._name)
        return _turned(array, self._axes)


def axes_of(shape: tuple[int, ...], layout: Layout) -> tuple[int, ...] | None:
    """Return the axes of an observation in the order in which networks need them; None adds one in front.

    Three axes are an image. Its channels are the shorter one of the first and the last axis.

    Raises:
        UserError: If `channels` does not fit the shape.
    """
    channels, option = layout.channels, f"env.channels={layout.channels}"
    if channels == "add":
        if len(shape) != 2:
            raise UserError(
                f"{option} is for observations [H, W], those of {layout.env_id} are {list(shape)}. Leave it out."
            )
        return None
    if len(shape) != 3:
        if channels != "auto":
            other = ", or set env.channels=add" if len(shape) == 2 else ""
            raise UserError(
                f"{option} is for images of three axes, observations of {layout.env_id} are {list(shape)}. Leave it "
                f"out{other}."
            )
        if len(shape) == 2 and min(shape) >= _SMALL_IMAGE:
            note_once(
                f"env.id={layout.env_id}: observations {list(shape)} are a matrix; if they are gray images, "
                "env.channels=add makes images of one channel for convolutional networks"
            )
        return tuple(range(len(shape))) if shape else None
    if channels == "auto" and shape[0] == shape[2]:
        note_once(
            f"env.id={layout.env_id}: the last axis of observations {list(shape)} is taken for the channels; "
            "env.channels=first takes the first one"
        )
    last = channels == "last" or (channels == "auto" and shape[2] <= shape[0])
    return (2, 0, 1) if last else (0, 1, 2)


def _turned(array: np.ndarray, axes: tuple[int, ...] | None) -> np.ndarray:
    return array[None] if axes is None else array.transpose(axes)


class _VectorEncoder:
    """All parts in one vector, as Gymnasium flattens them: integers one-hot, numbers as they are, bytes in [0, 1]."""

    def __init__(self, known: list[Leaf], layout: Layout) -> None:
        self._parts = _sized(known, layout, sum(part.size for part in _parts(known)))
        bounds = [part.bounds() for _, part in self._parts]
        low, high = (np.concatenate([pair[end] for pair in bounds]) for end in (0, 1))
        self.space = spaces.Box(low, high, dtype=np.float32)

    def __call__(self, observation: Any) -> np.ndarray:
        """Return the vector."""
        return np.concatenate([part.vector(value_at(observation, path), place(path)) for path, part in self._parts])


class _IndexEncoder:
    """One index of all integers together, one-hot, for agents that keep a table of states."""

    def __init__(self, known: list[Leaf], layout: Layout) -> None:
        if numbers := [leaf for leaf in known if leaf.part is not None and leaf.part.counts is None]:
            raise UserError(
                f"env.observe=index numbers the states of an environment, and {layout.env_id} has infinitely many: "
                f"{numbers[0].space}. Set env.observe=auto, and an agent with a network (agent.name=dqn)."
            )
        self._counts = [count for part in _parts(known) for count in part.counts or ()]
        self._parts = _sized(known, layout, math.prod(self._counts))
        self.space = spaces.Box(0, 1, (math.prod(self._counts),), np.float32)

    def __call__(self, observation: Any) -> np.ndarray:
        """Return a one at the index, and zeros."""
        index, numbers = 0, []
        for path, part in self._parts:
            numbers += part.integers(value_at(observation, path), place(path))
        for number, count in zip(numbers, self._counts, strict=True):
            index = index * count + number
        vector = np.zeros(self.space.shape, np.float32)
        vector[index] = 1
        return vector


def _parts(known: list[Leaf]) -> list[Part]:
    return [leaf.part for leaf in known if leaf.part is not None]


def _sized(known: list[Leaf], layout: Layout, size: int) -> list[tuple[tuple[str | int, ...], Part]]:
    """Return paths and parts, and refuse vectors that are too long."""
    if not 0 < size <= _LARGEST:
        raise UserError(
            f"env.id={layout.env_id}: its observations would be vectors of {size:,} numbers, at most {_LARGEST:,} are "
            "supported. Choose some of its parts with env.parts, or wrap the environment."
        )
    return [(leaf.path, part) for leaf, part in zip(known, _parts(known), strict=True)]
