"""Rates of matrix products on this machine: the limit of what spends its time in them."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from sandbox.bench._clock import clock
from sandbox.core.compute import Compute
from sandbox.training.loop import Run

TURNS, SIDE = 15, 4096  # measurements; side of the large matrices


def matmul_rate(compute: Compute) -> float:
    """Return floating-point operations per second of a product of large matrices."""
    side = SIDE if compute.device.type == "cuda" else SIDE // 4
    return products_rate(compute, [(side, side, side)])


def products_rate(compute: Compute, shapes: Sequence[tuple[int, int, int]]) -> float:
    """Return floating-point operations per second of products [m, k] @ [k, n] of these shapes (m, k, n) in turn."""
    dtype = torch.bfloat16 if compute.bf16 else torch.float32
    pairs = [
        (torch.randn(m, k, device=compute.device, dtype=dtype), torch.randn(k, n, device=compute.device, dtype=dtype))
        for m, k, n in shapes
    ]
    seconds = seconds_of(lambda: [a @ b for a, b in pairs], compute.device)
    return sum(2 * m * k * n for m, k, n in shapes) / seconds


def operations(run: Run) -> int:
    """Return the floating-point operations of one update with what the stream does for it, counted by PyTorch.

    The first two updates are not counted: they may measure or set up.
    """
    steps = run.steps()
    next(steps), next(steps)
    with FlopCounterMode(display=False) as counter:
        next(steps)
    return counter.get_total_flops()


def seconds_of(work: Callable[[], Any], device: torch.device) -> float:
    """Return the median seconds of a call, the device's work included."""
    taken = []
    for _ in range(TURNS + 3):
        start = clock.now()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken.append(clock.now() - start)
    return median(taken[3:])
