"""Random numbers for N environments at once: one 64-bit SplitMix generator (Steele et al. 2014) for each.

Environment i draws the same numbers alone and among thousands, so that `gymnasium.make` and `make_vec` agree.
"""

import math
from zlib import crc32

import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = (np.uint64(shift) for shift in (30, 27, 31, 11))


EVERY = slice(None)  # draws for all environments, faster than their indices


def _mix(z: np.ndarray) -> np.ndarray:
    mixed = z >> _30
    mixed ^= z
    mixed *= _MIX_1
    shifted = mixed >> _27
    mixed ^= shifted
    mixed *= _MIX_2
    mixed ^= np.right_shift(mixed, _31, out=shifted)
    return mixed


class VectorRng:
    """N independent generators of random numbers.

    Every method that draws takes `env_ids`: the environments to draw for, as indices [K], as a boolean mask [N] with
    K true entries, or as `EVERY`. The generators of the other environments do not advance.

    Attributes:
        state: The whole state of the generators, [N] uint64. A generator that was never seeded has the state 0.
    """

    def __init__(self, num_envs: int, name: str = "") -> None:
        """Make `num_envs` generators that are not seeded yet.

        Args:
            num_envs: Number of environments N.
            name: Separates generators that share a seed, such as those of an environment and of its wrappers.
        """
        self.state = np.zeros(num_envs, np.uint64)
        self._salt = np.uint64(crc32(name.encode()) << 32)

    def start(self, seed: int | list[int | None] | None, mask: np.ndarray) -> np.ndarray:
        """Seed the generators as Gymnasium's `reset(seed=...)` does.

        Args:
            seed: `seed` + i or `seed[i]` seeds environment i. With None a generator continues; one that was never
                seeded gets a random seed.
            mask: Environments to seed, [N] bool.

        Returns:
            The environments for which a seed was given, [N] bool.

        Raises:
            ValueError: For a negative seed or a wrong number of seeds.
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

    def _seed(self, mask: np.ndarray, seeds: np.ndarray) -> None:
        """Mix the seeds, so that consecutive ones give unrelated random numbers."""
        self.state[mask] = _mix(_mix((seeds ^ self._salt) + _GAMMA))

    def random(self, env_ids: np.ndarray | slice) -> np.ndarray:
        """Draw one float64 in [0, 1) for each environment, [K]."""
        return (self._draw(env_ids) >> _11).astype(np.float64) * 2.0**-53

    def chance(self, env_ids: np.ndarray | slice, p: float) -> np.ndarray:
        """Draw True with probability `p` for each environment, [K] bool; equal to `random(env_ids) < p`."""
        below = math.ceil(p * 2.0**53) << 11  # of 64 random bits, `random` ignores the last 11
        bits = self._draw(env_ids)
        return bits < np.uint64(below) if below < 2**64 else np.ones(len(bits), bool)

    def _draw(self, env_ids: np.ndarray | slice) -> np.ndarray:
        """Draw 64 random bits for each environment, [K] uint64."""
        if isinstance(env_ids, slice):
            self.state += _GAMMA
            return _mix(self.state)
        state = self.state[env_ids] + _GAMMA
        self.state[env_ids] = state
        return _mix(state)

    def randoms(self, env_ids: np.ndarray | slice, count: int) -> np.ndarray:
        """Draw `count` floats for each environment, [K, count]; equal to `count` calls of `random`."""
        return (self.bits(env_ids, count) >> _11).astype(np.float64) * 2.0**-53

    def bits(self, env_ids: np.ndarray | slice, count: int) -> np.ndarray:
        """Draw `count` times 64 random bits for each environment, [K, count] uint64."""
        states = self.state[env_ids][:, None] + _GAMMA * np.arange(1, count + 1, dtype=np.uint64)
        self.state[env_ids] = states[:, -1]
        return _mix(states)

    def integers(self, env_ids: np.ndarray | slice, high: int) -> np.ndarray:
        """Draw one int64 in [0, high) for each environment, [K]."""
        return (self.random(env_ids) * high).astype(np.int64)
