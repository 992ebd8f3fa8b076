"""Every source of randomness has a name, comes from the run's one seed, and has a place in the checkpoint."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


class Rng:
    """Named generators derived from one seed: the same seed and name always give the same stream.

    Asking twice for a name returns the same generator, so `state_dict()` covers every draw of the run.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._numpy: dict[str, np.random.Generator] = {}
        self._torch: dict[str, torch.Generator] = {}

    def integer(self, name: str) -> int:
        """A seed in [0, 2**63) for things that take one; a pure function of the run's seed and `name`."""
        digest = hashlib.sha256(f"{self._seed}/{name}".encode()).digest()
        return int.from_bytes(digest[:8], "little") >> 1

    def numpy(self, name: str) -> np.random.Generator:
        """The NumPy generator called `name`."""
        if name not in self._numpy:
            self._numpy[name] = np.random.Generator(np.random.PCG64(self.integer(name)))
        return self._numpy[name]

    def torch(self, name: str, device: torch.device) -> torch.Generator:
        """The PyTorch generator called `name`, on `device`."""
        if name not in self._torch:
            self._torch[name] = torch.Generator(device).manual_seed(self.integer(name))
        return self._torch[name]

    @contextmanager
    def initializing(self, name: str) -> Iterator[None]:
        """Initialise modules inside: PyTorch's global generator is seeded by `name` and put back afterwards."""
        with torch.random.fork_rng():
            torch.manual_seed(self.integer(name))
            yield

    def state_dict(self) -> dict[str, Any]:
        return {
            "numpy": {name: generator.bit_generator.state for name, generator in self._numpy.items()},
            "torch": {name: (str(generator.device), generator.get_state()) for name, generator in self._torch.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put every generator back, in place: who holds one goes on with it."""
        for name, saved in state["numpy"].items():
            self.numpy(name).bit_generator.state = saved
        for name, (device, saved) in state["torch"].items():
            self.torch(name, torch.device(device)).set_state(saved)
