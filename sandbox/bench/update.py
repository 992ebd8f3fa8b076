"""One update of DQN with the Nature network: milliseconds, and the share of this machine's matrix product rate.

The share compares the floating-point operations per second of an update, counted by PyTorch, with those of a product of
large matrices in the same precision.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from sandbox.agents.dqn import DQN, DQNConfig
from sandbox.bench._measure import Row
from sandbox.bench._products import matmul_rate, seconds_of
from sandbox.buffers.replay import Transitions
from sandbox.core.compute import Compute, PrecisionName, bf16_pays, choose
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec

BATCHES = (32, 128, 512)  # transitions


def rows() -> Iterator[Row]:
    """Measure two rows for each precision and batch size."""
    device = choose().device
    precisions: tuple[PrecisionName, ...] = ("fp32", "bf16") if bf16_pays(device) else ("fp32",)
    for precision in precisions:
        compute = choose(precision=precision)
        peak = matmul_rate(compute)
        for batch_size in BATCHES:
            update = measured(batch_size, compute)
            what = f"{device.type}, {precision}, batch {batch_size}"
            yield Row(what, "ms", update.seconds * 1e3)
            yield Row(f"{what}: share of the matmul rate", "%", 100 * update.operations / update.seconds / peak)


class Update(NamedTuple):
    """Cost of an update: seconds, floating-point operations, weights of the network, and bytes of the frames."""

    seconds: float
    operations: int
    weights: int
    frames: int


def measured(batch_size: int, compute: Compute) -> Update:
    """Measure one update of DQN with the Nature network on random frames."""
    learner, batch = _learner(compute), _batch(batch_size, compute.device)
    plain = _learner(Compute(compute.device, compute.bf16))  # operations of CUDA graphs cannot be counted
    with FlopCounterMode(display=False) as counter:
        plain.update(batch)
    network = learner.parts()["network"].state_dict()
    weights = sum(each.numel() for each in network.values())
    seconds = seconds_of(partial(learner.update, batch), compute.device)
    return Update(seconds, counter.get_total_flops(), weights, batch.s_tm1.nbytes + batch.s_t.nbytes)


def _learner(compute: Compute) -> DQN:
    """Build DQN for Atari's images."""
    return DQNConfig.model_validate({}).make(Spec((1, 84, 84), num_actions=6), Rng(0), compute, NO_RUNS)


def _batch(size: int, device: torch.device) -> Transitions:
    """Return random transitions with stacks of Atari's size."""
    frames = torch.randint(256, (2, size, 4, 84, 84), dtype=torch.uint8, device=device)
    ones, actions = torch.ones(size, 1, device=device), torch.zeros(size, dtype=torch.int64, device=device)
    return Transitions(frames[0], actions, ones, ones, torch.ones_like(actions), frames[1])
