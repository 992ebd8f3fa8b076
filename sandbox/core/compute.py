"""Device, precision, background thread and CUDA graphs of a run."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import torch

from sandbox.core.background import Background, InlineRunner, ThreadRunner
from sandbox.core.cuda_graph import CudaGraphed, Function
from sandbox.core.errors import UserError
from sandbox.core.freed_memory import keep_freed_memory
from sandbox.core.processes import ALONE, Processes

DeviceName = Literal["auto", "cpu", "cuda"]
PrecisionName = Literal["auto", "fp32", "bf16"]


def memory(device: torch.device) -> int | None:
    """Return the bytes of `device`: free ones on a GPU, all of the machine's on Linux, None elsewhere."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if sys.platform == "linux" else None


def send(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return the array as a tensor on `device`, without waiting for the device. On the CPU both share memory."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


@dataclass(frozen=True)
class Compute:
    """A device, and the precision of its matrix products; weights and optimizers stay fp32.

    `background` runs environment steps during updates. `capture` makes a function of tensors cheaper to call: it takes
    tensors and returns (results, gradients). The function must not change anything but buffers of layers that heed
    `is_warm_up`, nor wait for the device, draw random numbers of a generator or depend on Python values that change.
    Its results may be kept; its gradients are overwritten by its next call. `processes` share the rows of each batch.
    """

    device: torch.device
    bf16: bool = False
    background: Background = field(default_factory=InlineRunner, compare=False)
    capture: Callable[[Function], Function] = field(default=lambda function: function, compare=False)
    processes: Processes = field(default=ALONE, compare=False)

    def autocast(self) -> AbstractContextManager[object]:
        """Return a context for forward passes: products in bf16 if this run uses it."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)


def bf16_pays(device: torch.device) -> bool:
    """Return whether `device` multiplies in bfloat16 itself (CUDA since Ampere, CPUs with AMX or AVX-512 BF16).

    Emulated bf16 is slower than fp32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def choose(device: DeviceName = "auto", precision: PrecisionName = "fp32", overlap: bool = False) -> Compute:
    """Turn names into a `Compute`. With `overlap`, its background work runs in a thread.

    From then on the process keeps the memory that it frees; see `keep_freed_memory`.

    Raises:
        UserError: If CUDA is asked for and absent.
    """
    keep_freed_memory()
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise UserError(
            f"device=cuda, but this PyTorch ({torch.__version__}) sees no CUDA device. "
            "Use device=cpu or device=auto, or install a CUDA build of PyTorch; `sandbox doctor` says what is here."
        )
    chosen = torch.device("cuda" if cuda and device != "cpu" else "cpu")
    bf16 = precision == "bf16" or (precision == "auto" and bf16_pays(chosen))
    background: Background = ThreadRunner() if overlap else InlineRunner()
    if chosen.type == "cuda":
        return Compute(chosen, bf16, background, partial(CudaGraphed, device=chosen, background=background))
    return Compute(chosen, bf16, background)
