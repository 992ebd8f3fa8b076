"""Where a run computes, and in which precision."""

import os
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal

import torch

from sandbox.beside import Beside, Inline, Threaded
from sandbox.errors import UserError
from sandbox.replayed import Function, Replayed

DeviceName = Literal["auto", "cpu", "cuda"]
PrecisionName = Literal["auto", "fp32", "bf16"]


def bf16_pays(device: torch.device) -> bool:
    """Whether `device` multiplies in bfloat16 itself (CUDA since Ampere, CPUs with AMX or AVX-512 BF16).

    Emulated bf16 is slower than fp32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def memory(device: torch.device) -> int | None:
    """Bytes that `device` has: what is free on a GPU, all of the machine's on Linux, None where nothing tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if sys.platform == "linux" else None


@dataclass(frozen=True)
class Compute:
    """A device and the precision of its matrix products; weights and optimisers stay fp32.

    `beside`: where a run's stream plays on while its learner updates.
    """

    device: torch.device
    bf16: bool = False
    beside: Beside = field(default_factory=Inline, compare=False)

    def autocast(self) -> AbstractContextManager[object]:
        """Run the forward pass inside: products in bf16 where this run asked for them."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def replayed(self, function: Function) -> Replayed:
        """`function` of tensors in one launch, where the device is a GPU."""
        return Replayed(function, self.device, self.beside)


def choose(device: DeviceName = "auto", precision: PrecisionName = "fp32", overlap: bool = False) -> Compute:
    """Turn names into a `Compute`; `overlap`: with a thread for what goes on beside an update.

    Raises:
        UserError: if CUDA is asked for and absent.
    """
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise UserError(
            f"device=cuda, but this PyTorch ({torch.__version__}) sees no CUDA device. "
            "Use device=cpu or device=auto, or install a CUDA build of PyTorch; `sandbox doctor` says what is here."
        )
    chosen = torch.device("cuda" if cuda and device != "cpu" else "cpu")
    bf16 = precision == "bf16" or (precision == "auto" and bf16_pays(chosen))
    return Compute(chosen, bf16, Threaded() if overlap else Inline())
