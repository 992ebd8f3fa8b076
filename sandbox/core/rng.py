"""Named random streams, all derived from the seed of a run and all saved in its checkpoint."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


class Rng:
    """Random generators by name; the same seed and name always give the same stream.

    A name is given out once, so that no two owners share a stream by accident. Owners of the same kind each take a
    `child` with a name of its own.

    Attributes:
        moved: Such as `cuda to cpu`, if streams of a checkpoint could not go on, being of another device; empty else.
    """

    def __init__(self, seed: int) -> None:
        self._seed, self._prefix, self.moved = seed, "", ""
        self._numpy: dict[str, np.random.Generator] = {}
        self._torch: dict[str, torch.Generator] = {}
        self._taken: set[tuple[str, str]] = set()

    def child(self, name: str) -> "Rng":
        """Return the same streams under `name`: `rng.child("a").torch("b", cpu)` is `rng.torch("a/b", cpu)`."""
        child = Rng(self._seed)
        child._prefix = f"{self._prefix}{name}/"
        child._numpy, child._torch, child._taken = self._numpy, self._torch, self._taken
        return child

    def separate(self) -> "Rng":
        """Return the same streams for owners of their own, outside of `state_dict`: for work that ends before a run."""
        separate = Rng(self._seed)
        separate._prefix = self._prefix
        return separate

    def integer(self, name: str) -> int:
        """Return a seed in [0, 2**63), a pure function of the run's seed and `name`."""
        digest = hashlib.sha256(f"{self._seed}/{self._prefix}{name}".encode()).digest()
        return int.from_bytes(digest[:8], "little") >> 1

    def numpy(self, name: str) -> np.random.Generator:
        """Return the NumPy generator called `name`.

        Raises:
            ValueError: If the name is taken.
        """
        full = self._claim("NumPy", name)  # a checkpoint that was loaded before may have made the generator
        return self._numpy.setdefault(full, np.random.Generator(np.random.PCG64(self.integer(name))))

    def torch(self, name: str, device: torch.device) -> torch.Generator:
        """Return the PyTorch generator called `name`, on `device`.

        Raises:
            ValueError: If the name is taken.
        """
        full = self._claim("PyTorch", name)
        earlier = self._torch.get(full)
        if earlier is None:
            self._torch[full] = torch.Generator(device).manual_seed(self.integer(name))
        elif earlier.device.type != device.type:  # from a checkpoint that was loaded before
            self._torch[full] = _moved(full, earlier.get_state(), device)
        return self._torch[full]

    def _claim(self, kind: str, name: str) -> str:
        full = self._prefix + name
        if (kind, full) in self._taken:
            raise ValueError(f"the {kind} stream {full!r} has an owner already: take another name, or rng.child(...)")
        self._taken.add((kind, full))
        return full

    @contextmanager
    def initializing(self, name: str) -> Iterator[None]:
        """Seed PyTorch's global generator by `name` inside the block, for the initial weights of modules."""
        with torch.random.fork_rng():
            torch.manual_seed(self.integer(name))
            yield

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every stream, children included."""
        return {
            "numpy": {name: generator.bit_generator.state for name, generator in self._numpy.items()},
            "torch": {name: (str(generator.device), generator.get_state()) for name, generator in self._torch.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore every stream in place, so that its owner goes on with it. Call it on the root, not on a child.

        A PyTorch stream of another kind of device cannot continue here; a new one begins, and `moved` says so.
        """
        for name, saved in state["numpy"].items():
            self._numpy.setdefault(name, np.random.Generator(np.random.PCG64(0))).bit_generator.state = saved
        moved = set()
        for name, (where, saved) in state["torch"].items():
            device = torch.device(where)
            present = self._torch.get(name)
            if present is None:
                present = self._torch[name] = torch.Generator(device if _is_here(device) else "cpu")
            if present.device.type == device.type:
                present.set_state(saved)
            else:
                moved.add(f"{device.type} to {present.device.type}")
                present.set_state(_moved(name, saved, present.device).get_state())
        self.moved = ", ".join(sorted(moved))


def _is_here(device: torch.device) -> bool:
    return device.type == "cpu" or (device.type == "cuda" and torch.cuda.is_available())


def _moved(name: str, saved: torch.Tensor, device: torch.device) -> torch.Generator:
    """Return a generator on another kind of device, seeded by its name and the saved state."""
    digest = hashlib.sha256(name.encode() + saved.numpy().tobytes()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "little") >> 1)
