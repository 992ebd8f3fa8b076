"""Where a run computes, and in which precision; `sandbox.compute` makes the choice."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np
import torch

from sandbox.beside import Beside, Inline

Function = Callable[..., Sequence[torch.Tensor]]


def memory(device: torch.device) -> int | None:
    """Bytes that `device` has: what is free on a GPU, all of the machine's on Linux, None where nothing tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if sys.platform == "linux" else None


def send(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """As a tensor on `device`, without waiting for what goes on there; on the CPU it shares the array's memory."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


@dataclass(frozen=True)
class Compute:
    """A device and the precision of its matrix products; weights and optimisers stay fp32.

    `beside`: where a run's stream plays on while its learner updates. `record`: makes a function of tensors cheaper to
    call. Nothing in it may change anything, wait for the device, draw random numbers or depend on Python's changing
    values, and what it returns lasts until its next call.
    """

    device: torch.device
    bf16: bool = False
    beside: Beside = field(default_factory=Inline, compare=False)
    record: Callable[[Function], Function] = field(default=lambda function: function, compare=False)

    def autocast(self) -> AbstractContextManager[object]:
        """Run the forward pass inside: products in bf16 where this run asked for them."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)
