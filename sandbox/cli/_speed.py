"""How fast this machine is: a few shipped configs, each trained for half a second, and matrices multiplied."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import torch

from sandbox.core.errors import UserError
from sandbox.runs.build import new_run, use_threads
from sandbox.runs.resolve import resolve

# What begins to learn late in them begins early here; it costs the same.
PRESETS = {
    "catch_dqn": ["agent.stream.replay.warmup=100"],
    "memory_chain_drqn": [],
    "digits_vae": [],
    "pong_dqn": ["agent.stream.replay.warmup=320"],
    "atari_pong_dqn": ["agent.stream.replay.warmup=160", "agent.stream.replay.capacity=4_000"],
}
SECONDS = 0.5  # of training for each
_LIMIT = 15.0  # seconds after which no other one is begun: then the machine is busy
_SIDE = 1024  # of the matrices


class Speed(NamedTuple):
    """What one config does a second, and what it has before it."""

    name: str
    steps: float
    updates: float
    to_do: int

    @property
    def seconds(self) -> float:
        """How long it would train at this speed."""
        return self.to_do / self.steps


def speeds(seconds: float = SECONDS) -> list[Speed]:
    """Of those configs whose parts are installed, as far as the time for it goes."""
    threads, found, start = torch.get_num_threads(), list[Speed](), perf_counter()
    for name, overrides in PRESETS.items():
        if perf_counter() - start > _LIMIT:
            break
        with suppress(UserError):  # an extra that is not there
            found.append(measured(name, overrides, seconds))
        torch.set_num_threads(threads)
    return found


def measured(name: str, overrides: Sequence[str], seconds: float) -> Speed:
    """How fast the config of this name trains, with `overrides`, by `seconds` of it."""
    config = resolve([name], overrides)
    use_threads(config)
    run = new_run(config, Path()).run()
    steps = run.steps()
    for _ in range(3):  # memory is laid out, kernels are chosen
        next(steps)
    start, before, updates = _now(), run.stream.step, 0
    while perf_counter() - start < seconds or run.stream.step == before:  # several updates may share a step
        next(steps)
        updates += 1
    spent = _now() - start
    return Speed(name, (run.stream.step - before) / spent, updates / spent, config.steps)


def products(dtype: torch.dtype, seconds: float = 0.2) -> float:
    """Thousand millions of multiplications and additions a second, in products of large matrices."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    left, right = (torch.ones(_SIDE, _SIDE, dtype=dtype, device=device) for _ in range(2))
    left @ right
    start, count = _now(), 0
    while perf_counter() - start < seconds:
        left @ right
        count += 1
    return 2 * _SIDE**3 * count / (_now() - start) / 1e9


def _now() -> float:
    """With all that was asked of the device done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter()


def about(seconds: float) -> str:
    """Two digits at most, as words: `about 20 s`, `about 4 min`, `about 2.5 h`."""
    for size, unit in ((1, "s"), (60, "min"), (3600, "h")):
        if seconds / size < 90 or unit == "h":
            return f"about {float(f'{seconds / size:.2g}'):g} {unit}"
    raise AssertionError("hours are the largest")
