"""Randomness for many environments at once: one 64-bit SplitMix generator (Steele et al. 2014) a lane.

Lane i draws the same numbers whether it runs alone or beside thousands, so `make` and `make_vec` agree.
"""

import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = (np.uint64(shift) for shift in (30, 27, 31, 11))


def _mix(z: np.ndarray) -> np.ndarray:
    z = (z ^ (z >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    return z ^ (z >> _31)


class Lanes:
    """`state` [N] uint64 is all there is; save it to save the generators."""

    def __init__(self, num_envs: int) -> None:
        self.state = np.zeros(num_envs, np.uint64)

    def seed(self, index: int, seed: int) -> None:
        """Start lane `index` at `seed`; neighbouring seeds give unrelated streams."""
        self.state[index] = _mix(_mix(np.array([seed], np.uint64) + _GAMMA))[0]

    def random(self, lanes: np.ndarray) -> np.ndarray:
        """One float64 in [0, 1) for each of `lanes` (a mask [N] or indices); the other lanes stay where they are."""
        self.state[lanes] += _GAMMA
        return (_mix(self.state[lanes]) >> _11).astype(np.float64) * 2.0**-53

    def integers(self, lanes: np.ndarray, high: int) -> np.ndarray:
        """One int64 in [0, high) for each of `lanes`."""
        return (self.random(lanes) * high).astype(np.int64)
