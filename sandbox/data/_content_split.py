"""A split into training and test set that hangs on the content of each file alone."""

import hashlib
from collections.abc import Sequence

import numpy as np

_DIGITS = 13  # hexadecimal: 52 bits, which a float holds exactly


def in_test_set(digests: Sequence[str], fraction: float, seed: int) -> np.ndarray:
    """Return which files are test images, [N] bool.

    A file that is added or removed moves no other file, and equal files are in the same part. Each part has at least
    one file: if no file, or every file, falls under `fraction`, the one that is nearest to it changes sides.

    Args:
        digests: SHA-256 of each file, at least two of them.
        fraction: Share of the test set.
        seed: Another seed gives another split.
    """
    places = np.array([_place(digest, seed) for digest in digests])
    test = places < fraction
    if not test.any():
        test = places == places.min()
    elif test.all():
        test = places < places.max()
    if test.all() or not test.any():  # all files are equal
        test = np.arange(len(places)) == 0
    return test


def _place(digest: str, seed: int) -> float:
    """Return a number in [0, 1) that a file always has."""
    mixed = hashlib.sha256(f"{seed} {digest}".encode()).hexdigest()
    return int(mixed[:_DIGITS], 16) / 16**_DIGITS
