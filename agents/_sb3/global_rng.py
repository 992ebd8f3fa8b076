"""Calls of Stable-Baselines3: with the run's random generators in place of the global ones, and its errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.random import mtrand

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng


class Generators:
    """The run's generators named `sb3`; the run's random streams hold their place in the checkpoint."""

    def __init__(self, rng: Rng, device: torch.device) -> None:
        self._numpy, self._cpu = rng.numpy("sb3"), rng.torch("sb3", torch.device("cpu"))
        self._cuda = {device: rng.torch("sb3 on cuda", device)} if device.type == "cuda" else {}

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Replace the global generators by these inside the block, and restore them afterwards."""
        bits, before = mtrand.get_bit_generator(), np.random.get_state(legacy=False)
        with torch.random.fork_rng(list(self._cuda)):
            mtrand.set_bit_generator(self._numpy.bit_generator)
            torch.set_rng_state(self._cpu.get_state())
            for device, generator in self._cuda.items():
                torch.cuda.set_rng_state(generator.get_state(), device)
            try:
                yield
            except ValueError as error:
                if "found invalid values" not in str(error):  # a distribution of PyTorch says so
                    raise
                raise UserError(
                    "Stable-Baselines3's policy returns numbers that are not finite. Take a lower learning rate, or "
                    "options of agent.options nearer to their defaults."
                ) from error
            finally:
                self._cpu.set_state(torch.get_rng_state())
                for device, generator in self._cuda.items():
                    generator.set_state(torch.cuda.get_rng_state(device))
                mtrand.set_bit_generator(bits)
                np.random.set_state(before)
