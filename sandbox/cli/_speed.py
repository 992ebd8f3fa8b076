"""Measures the speed of this machine: a few shipped configs trained for half a second each, and matrix products."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import torch

from sandbox.core.errors import UserError
from sandbox.runs.build import build_new, use_threads
from sandbox.runs.resolve import resolve

# Configs to measure, with overrides. A long warm-up is cut short, because only the steps after it include updates.
PRESETS = {
    "catch_dqn": ["agent.stream.replay.warmup=100"],
    "memory_chain_drqn": [],
    "digits_vae": [],
    "pong_dqn": ["agent.stream.replay.warmup=320"],
    "atari_pong_dqn": ["agent.stream.replay.warmup=160", "agent.stream.replay.capacity=4_000"],
}
SECONDS = 0.5  # of training for each
_LIMIT = 15.0  # seconds after which no further config is measured
_SIDE = 1024  # rows and columns of the matrices


class Speed(NamedTuple):
    """Speed of one config: steps and updates per second, and the steps of a whole training."""

    name: str
    steps: float
    updates: float
    to_do: int

    @property
    def seconds(self) -> float:
        """Seconds of a whole training."""
        return self.to_do / self.steps


def speeds(seconds: float = SECONDS) -> list[Speed]:
    """Measure the configs whose dependencies are installed, as many as 15 seconds allow."""
    threads, found, start = torch.get_num_threads(), list[Speed](), perf_counter()
    for name, overrides in PRESETS.items():
        if perf_counter() - start > _LIMIT:
            break
        with suppress(UserError):  # an optional package is not installed
            found.append(measured(name, overrides, seconds))
        torch.set_num_threads(threads)
    return found


def measured(name: str, overrides: Sequence[str], seconds: float) -> Speed:
    """Train a config for `seconds` and return its speed."""
    config = resolve([name], overrides)
    use_threads(config)
    run = build_new(config, Path()).ready_to_resume()
    steps = run.steps()
    for _ in range(3):  # until memory is allocated and kernels are chosen
        next(steps)
    start, before, updates = _now(), run.stream.step, 0
    while perf_counter() - start < seconds or run.stream.step == before:  # several updates may share a step
        next(steps)
        updates += 1
    spent = _now() - start
    return Speed(name, (run.stream.step - before) / spent, updates / spent, config.steps)


def products(dtype: torch.dtype, seconds: float = 0.2) -> float:
    """Return the GFLOP/s of products of large matrices, over `seconds`."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    left, right = (torch.ones(_SIDE, _SIDE, dtype=dtype, device=device) for _ in range(2))
    left @ right
    start, count = _now(), 0
    while perf_counter() - start < seconds:
        left @ right
        count += 1
    return 2 * _SIDE**3 * count / (_now() - start) / 1e9


def _now() -> float:
    """Return the time once the device has finished its work."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter()


def about(seconds: float) -> str:
    """Return a duration in words, with two digits at most: `about 20 s`, `about 4 min`, `about 2.5 h`."""
    for size, unit in ((1, "s"), (60, "min"), (3600, "h")):
        if seconds / size < 90 or unit == "h":
            return f"about {float(f'{seconds / size:.2g}'):g} {unit}"
    raise AssertionError("hours are the largest")
