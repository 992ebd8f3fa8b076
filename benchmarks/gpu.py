"""Measure agents on a GPU: python benchmarks/gpu.py [--seconds 10] [--quick]

Atari's Pong with the Nature network. Replay: DQN, batch 32, an update every four steps, 1 to 128 games at once. PQN:
128 games of 32 steps, two epochs of 32 parts. How busy the GPU was is nvidia-smi's figure, five times a second. Then
one update of DQN, at several batch sizes, beside the roofline: what its arithmetic would take at the rate of a large
matrix product, and its bytes (weights, gradients and Adam's averages, frames), were all of them fetched from memory, at
the rate of a large copy. TF32 is off, in convolutions too.
Without a GPU the same is measured on the CPU, which says whether the script works.
"""

import argparse
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean
from time import perf_counter
from typing import Any

import torch

from sandbox.agents.dqn import DQNConfig
from sandbox.agents.pqn import PQNConfig
from sandbox.bench._products import matmul_rate, seconds_of
from sandbox.bench.update import measured
from sandbox.core.compute import Compute, PrecisionName, choose
from sandbox.core.rng import Rng
from sandbox.envs.atari import AtariConfig
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.training.loop import Run

PONG = {"game": "pong", "protocol": "machado2018", "actions": "minimal"}
COPIED = 2**28  # bytes
TOUCHED = 11  # times a weight: read by two passes forward and one back, its gradient written, Adam's 4 reads, 3 writes
PRECISIONS: tuple[PrecisionName, ...] = ("fp32", "bf16")


@contextmanager
def watching() -> Iterator[list[float]]:
    """Percentages of the time in which the GPU had something to do."""
    seen: list[float] = []
    if not torch.cuda.is_available():
        yield seen
        return
    command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-i", "0", "-lms", "200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = process.stdout
        thread = threading.Thread(target=lambda: seen.extend(float(line) for line in lines))
        thread.start()
        try:
            yield seen
        finally:
            process.terminate()
            thread.join()


def speed(config: AgentConfig, num_envs: int, compute: Compute, seconds: float) -> tuple[float, float]:
    """Agent steps a second, once warm, and the GPU's utilization in per cent."""
    env = AtariConfig.model_validate(PONG | {"workers": 0 if num_envs > 1 else 1})
    rng = Rng(0)
    learner = config.make(spec_of(env.make(1)), rng, compute, NO_RUNS)
    run = Run(learner, config.stream.make(env.make, learner, rng, compute), rng)
    steps = run.steps()
    for _ in range(5):
        next(steps)
    with watching() as busy:
        begun, before = perf_counter(), run.stream.step
        while perf_counter() - begun < seconds:
            next(steps)
        done = run.stream.step - before
        run.averages.take()  # waits for the device
        rate = done / (perf_counter() - begun)
    compute.background.wait()
    return rate, fmean(busy) if busy else float("nan")


def played(seconds: float, games: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    for precision in PRECISIONS:
        for num_envs, overlap in [*((each, False) for each in games), (games[-1], True)]:
            replay = {"num_envs": num_envs, "capacity": 100_000, "warmup": 1_000, "update_period": 4}
            config = DQNConfig.model_validate({"stream": {"replay": replay}})
            rate, busy = speed(config, num_envs, choose("auto", precision, overlap), seconds)
            yield f"DQN, {num_envs} games, {precision}{', overlapped' if overlap else ''}", rate, busy
        many = {"num_minibatches": 32, "num_epochs": 2, "stream": {"num_envs": games[-1], "length": 32}}
        rate, busy = speed(PQNConfig.model_validate(many), games[-1], choose("auto", precision), seconds)
        yield f"PQN, {games[-1]} games, {precision}", rate, busy


def roofline(device: torch.device, sizes: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    copied = torch.empty(COPIED, dtype=torch.uint8, device=device)
    bandwidth = 2 * COPIED / seconds_of(copied.clone, device)
    for precision in PRECISIONS:
        compute = choose("auto", precision)
        peak = matmul_rate(compute)
        for size in sizes:
            seconds, work, weights, frames = measured(size, compute)
            size_of_all = 4 * weights * TOUCHED + frames
            floors = work / peak, size_of_all / bandwidth
            yield (
                f"{precision}, batch {size}",
                seconds * 1e3,
                work / seconds / 1e12,
                100 * work / seconds / peak,
                size_of_all / seconds / 1e9,
                100 * size_of_all / seconds / bandwidth,
                "arithmetic" if floors[0] > floors[1] else "bytes",
            )
        yield f"the roof in {precision}", "", peak / 1e12, 100.0, bandwidth / 1e9, 100.0, ""


def table(head: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> None:
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(cell if isinstance(cell, str) else f'{cell:,.4g}' for cell in row)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--quick", action="store_true", help="few games and small batches")
    given = parser.parse_args()
    torch.backends.cudnn.allow_tf32 = False
    device = choose().device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    print(f"{name}, PyTorch {torch.__version__}\n")
    table(("", "steps/s", "GPU busy, %"), played(given.seconds, (1, 2) if given.quick else (1, 8, 32, 128)))
    print()
    columns = (
        "update",
        "ms",
        "TFLOP/s",
        "of the products' rate, %",
        "GB/s",
        "of the copy's rate, %",
        "the nearer roof",
    )
    table(columns, roofline(device, (4,) if given.quick else (32, 128, 512)))
