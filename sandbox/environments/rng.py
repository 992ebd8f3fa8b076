"""Randomness for many environments at once: one 64-bit SplitMix generator (Steele et al. 2014) a lane.

Lane i draws the same numbers whether it runs alone or beside thousands, so `make` and `make_vec` agree.
"""

from zlib import crc32

import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = (np.uint64(shift) for shift in (30, 27, 31, 11))


def _mix(z: np.ndarray) -> np.ndarray:
    z = (z ^ (z >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    return z ^ (z >> _31)


class VectorRng:
    """`state` [N] uint64 is all there is; save it to save the generators. 0 is a lane that was never seeded.

    `name` keeps those apart that share a seed, such as an environment's and its wrappers'. `lanes` below are the ones
    that draw, as a mask [N] or as indices; the other lanes stay where they are.
    """

    def __init__(self, num_envs: int, name: str = "") -> None:
        self.state = np.zeros(num_envs, np.uint64)
        self._salt = np.uint64(crc32(name.encode()) << 32)

    def start(self, seed: int | list[int | None] | None, mask: np.ndarray) -> np.ndarray:
        """Gymnasium's `reset(seed=...)` for the lanes of `mask`: `seed` + i or `seed[i]` starts lane i.

        With None a lane goes on; one that was never seeded starts anywhere. Returns [N] bool: who was given a seed.

        Raises:
            ValueError: for a negative seed, or another number of seeds than lanes.
        """
        if seed is None and (self.state[mask] != 0).all():
            return np.zeros_like(mask)
        count = len(self.state)
        seeds = list(range(seed, seed + count)) if isinstance(seed, int) else seed or [None] * count
        if len(seeds) != count or any(given is not None and given < 0 for given in seeds):
            raise ValueError(f"seed must be None, an integer >= 0, or {count} of those; got {seed}")
        known = np.array([given is not None for given in seeds])
        if (given := mask & known).any():
            self._seed(given, np.array([each or 0 for each in seeds], np.uint64)[given])
        if (unseeded := mask & ~known & (self.state == 0)).any():
            self._seed(unseeded, np.random.default_rng().integers(2**31, size=unseeded.sum()).astype(np.uint64))
        return known

    def _seed(self, lanes: np.ndarray, seeds: np.ndarray) -> None:
        """Neighbouring seeds give unrelated streams."""
        self.state[lanes] = _mix(_mix((seeds ^ self._salt) + _GAMMA))

    def random(self, lanes: np.ndarray) -> np.ndarray:
        """One float64 in [0, 1) for each of `lanes`."""
        state = self.state[lanes] + _GAMMA
        self.state[lanes] = state
        return (_mix(state) >> _11).astype(np.float64) * 2.0**-53

    def randoms(self, lanes: np.ndarray, count: int) -> np.ndarray:
        """[len, count]: the next `count` numbers of each of `lanes`, as `random` would give them one by one."""
        return (self.bits(lanes, count) >> _11).astype(np.float64) * 2.0**-53

    def bits(self, lanes: np.ndarray, count: int) -> np.ndarray:
        """[len, count] uint64: what the next `count` numbers of each of `lanes` are made from."""
        states = self.state[lanes][:, None] + _GAMMA * np.arange(1, count + 1, dtype=np.uint64)
        self.state[lanes] = states[:, -1]
        return _mix(states)

    def integers(self, lanes: np.ndarray, high: int) -> np.ndarray:
        """One int64 in [0, high) for each of `lanes`."""
        return (self.random(lanes) * high).astype(np.int64)
