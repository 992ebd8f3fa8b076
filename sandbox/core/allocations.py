"""Memory of tensors: what is made inside a block is added up, and refused before it exceeds the memory."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_FACTORIES: frozenset[Callable[..., Any]] = frozenset(
    {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.randint, torch.normal}
)
TRAINED = 4  # copies of a weight in training: itself, its gradient, and two averages of the optimizer
_SIGNS = ("allocate", "out of memory", "overflow", "invalid storage size", "negative dimension", "invalid buffer size")


class TooLargeError(MemoryError):
    """Tensors that the memory has no room for."""


class Allocations(TorchFunctionMode):
    """Adds up the tensors that are made inside the block, and refuses one that there is no room for."""

    def __init__(self, room: int | None, copies: int) -> None:
        """Begin at 0 bytes.

        Args:
            room: Bytes of the memory; None if they are unknown.
            copies: Number of tensors of the same size that each one will have, itself included.
        """
        super().__init__()
        self._needed, self._room, self._copies = 0, room, copies

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call a function of PyTorch, after a look at the size of what it makes.

        Raises:
            TooLargeError: If there is no room for it.
        """
        kwargs = kwargs or {}
        if func in _FACTORIES:
            shape = _shape(args, kwargs)
            dtype = kwargs.get("dtype") or torch.get_default_dtype()
            self._needed += self._copies * math.prod(shape) * dtype.itemsize
            if self._room is not None and self._needed > self._room:
                raise TooLargeError(
                    f"this needs more than {gigabytes(self._needed)} (a tensor of {'x'.join(map(str, shape))} among "
                    f"it), and there are {gigabytes(self._room)}"
                )
        return func(*args, **kwargs)


def _shape(args: Sequence[Any], kwargs: dict[str, Any]) -> list[int]:
    """Return the shape that a factory of PyTorch was asked for, given as one argument or as several."""
    given = kwargs.get("size", args)
    if isinstance(given, tuple) and any(isinstance(part, tuple | list | torch.Size) for part in given):
        given = next(part for part in given if isinstance(part, tuple | list | torch.Size))
    return [size for size in given if isinstance(size, int)]


def gigabytes(size: int) -> str:
    """Return a number of bytes in words, such as `1.5 GB`."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def is_allocation_error(error: BaseException) -> bool:
    """Return whether an error says that there is no memory, or that a size is beyond what a tensor can have."""
    if isinstance(error, MemoryError | OverflowError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError | ValueError) and any(sign in str(error).lower() for sign in _SIGNS)
