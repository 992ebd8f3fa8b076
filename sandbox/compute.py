"""From a config's names to where and how a run computes."""

from functools import partial
from typing import Literal

import torch

from sandbox.beside import Beside, Inline, Threaded
from sandbox.device import Compute
from sandbox.errors import UserError
from sandbox.recorded import Recorded

DeviceName = Literal["auto", "cpu", "cuda"]
PrecisionName = Literal["auto", "fp32", "bf16"]


def bf16_pays(device: torch.device) -> bool:
    """Whether `device` multiplies in bfloat16 itself (CUDA since Ampere, CPUs with AMX or AVX-512 BF16).

    Emulated bf16 is slower than fp32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


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
    beside: Beside = Threaded() if overlap else Inline()
    if chosen.type == "cuda":
        return Compute(chosen, bf16, beside, partial(Recorded, device=chosen, beside=beside))
    return Compute(chosen, bf16, beside)
