"""The global generators of NumPy and `random`, which some environments draw from, with one state for each copy."""

import random
from collections.abc import Callable
from threading import RLock
from typing import Any, TypeVar

import numpy as np
from numpy.random import mtrand

_Result = TypeVar("_Result")
_WATCHED_CALLS = 100  # calls of a copy in which its draws are looked for
_WATCHED_AGAIN = 2_000  # the same, after the state of `random` outside has changed during an episode of the copy
_lock = RLock()  # the generators are global, and environments may step in a background thread


class GlobalGenerators:
    """A copy's own states of the global generators, in place while its environment runs.

    Draws from them are then as reproducible as those from the environment's `np_random`. Putting a state of `random` in
    place takes 50 microseconds (NumPy's takes 3), so every copy gets it in its first calls only, and then again if the
    state outside has changed during an episode. Copies that drew from `random` in these calls keep it.

    Attributes:
        drew_late: Whether a draw from `random` was found after the first calls; earlier ones may have been missed.
    """

    def __init__(self, seed: int) -> None:
        """Seed the generators for the constructor of an environment."""
        self._numpy = np.random.MT19937(seed)
        self._watched = _WATCHED_CALLS  # calls that are left
        self._uses_random = self.drew_late = self._is_late = False
        self._outside: tuple[Any, ...] | None = None  # the state of `random` outside at the start of the episode
        self.seed(seed)

    @property
    def are_used(self) -> bool:
        """True if the environment drew from one of them since it was seeded last, or from `random` before."""
        now, fresh = (each.state["state"] for each in (self._numpy, _seeded(np.random.MT19937(0), self._seed)))
        return self._uses_random or now["pos"] != fresh["pos"] or not np.array_equal(now["key"], fresh["key"])

    def seed(self, seed: int) -> None:
        """Seed both states."""
        self._seed = seed
        _seeded(self._numpy, seed)
        if not self._swaps_random:
            before, self._outside = self._outside, random.getstate()
            if before not in (None, self._outside):
                self._watched, self._is_late, self._outside = _WATCHED_AGAIN, True, None
        self._random = random.Random(seed).getstate() if self._swaps_random else None

    def run(self, call: Callable[..., _Result], *arguments: Any, **options: Any) -> _Result:
        """Return `call(...)`, made with these states in place."""
        with _lock:
            outside, before = mtrand.get_bit_generator(), self._random
            mtrand.set_bit_generator(self._numpy)
            if before is not None:
                outside_random = random.getstate()
                random.setstate(before)
            try:
                return call(*arguments, **options)
            finally:
                mtrand.set_bit_generator(outside)
                if before is not None:
                    self._random = random.getstate()
                    random.setstate(outside_random)
                    self._watched -= 1
                    if self._random != before and not self._uses_random:
                        self._uses_random, self.drew_late = True, self._is_late
                    if not self._swaps_random:
                        self._random = None

    @property
    def _swaps_random(self) -> bool:
        return self._uses_random or self._watched > 0


def _seeded(generator: np.random.MT19937, seed: int) -> np.random.MT19937:
    """Seed a generator as `np.random.seed` does, which is the fastest way, and return it."""
    with _lock:
        outside = mtrand.get_bit_generator()
        mtrand.set_bit_generator(generator)
        try:
            np.random.seed(seed % 2**32)
        finally:
            mtrand.set_bit_generator(outside)
    return generator
