"""Where a run computes, and in which precision."""

import os
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import torch

from sandbox.errors import UserError

DeviceName = Literal["auto", "cpu", "cuda"]
PrecisionName = Literal["auto", "fp32", "bf16"]


def bf16_pays(device: torch.device) -> bool:
    """Whether `device` has matrix units for bfloat16 (CUDA since Ampere, CPUs with AMX); emulated bf16 is slower."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_amx_tile_supported()


def memory(device: torch.device) -> int | None:
    """Bytes that `device` has: what is free on a GPU, all of the machine's on Linux, None where nothing tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if sys.platform == "linux" else None


@dataclass(frozen=True)
class Compute:
    """A device and the precision of its matrix products; weights and optimisers stay fp32."""

    device: torch.device
    bf16: bool = False

    def autocast(self) -> AbstractContextManager[object]:
        """Run the forward pass inside: products in bf16 where this run asked for them."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)


def choose(device: DeviceName = "auto", precision: PrecisionName = "fp32") -> Compute:
    """Turn names into a `Compute`.

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
    return Compute(chosen, bf16=precision == "bf16" or (precision == "auto" and bf16_pays(chosen)))
