"""Tests of functions that are recorded on a GPU."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from agents.double_dqn import DoubleDQNConfig
from agents.dqn import DQNConfig
from agents.drqn import DRQNConfig
from agents.pqn import PQNConfig
from sandbox.beside import Inline
from sandbox.buffers.replay import Transitions
from sandbox.buffers.sequences import Sequences
from sandbox.compute import PrecisionName, choose
from sandbox.learner import Spec
from sandbox.replayed import Replayed
from sandbox.seeding import Rng
from sandbox.streams.actor import Step

needs_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
SMALL = {"backbone": {"name": "mlp", "hidden": [16]}, "optimizer": {"lr": 1e-2, "clip_norm": 1.0}}


def test_on_a_cpu_the_function_itself_is_called() -> None:
    def double(x: torch.Tensor) -> Sequence[torch.Tensor]:
        return (2 * x,)

    assert choose("cpu").record(double) is double


@needs_a_gpu
def test_on_a_gpu_each_shape_is_recorded_once_and_new_inputs_and_weights_count() -> None:
    device, calls = torch.device("cuda"), list[int]()
    weight = torch.ones((), device=device)

    def scaled(x: torch.Tensor) -> Sequence[torch.Tensor]:
        calls.append(len(x))
        return (weight * x,)

    replayed = Replayed(scaled, device, Inline())
    given = torch.arange(3.0, device=device)
    assert replayed(given)[0].tolist() == [0.0, 1.0, 2.0]
    recorded = len(calls)
    weight.fill_(3.0)
    assert replayed(given + 1)[0].tolist() == [3.0, 6.0, 9.0]
    assert len(calls) == recorded
    assert replayed(given[:2])[0].tolist() == [0.0, 3.0]
    assert replayed(given)[0].tolist() == [0.0, 3.0, 6.0]
    assert len(calls) == 2 * recorded


def transitions(seed: int, device: torch.device) -> Transitions:
    g = torch.Generator().manual_seed(seed)
    made = Transitions(
        torch.randn(8, 3, generator=g),
        torch.randint(4, (8,), generator=g),
        torch.randn(8, 1, generator=g),
        torch.randint(2, (8, 1), generator=g).float(),
        torch.ones(8, dtype=torch.int64),
        torch.randn(8, 3, generator=g),
    )
    return Transitions(*(part.to(device) for part in made))


def windows(seed: int, device: torch.device, memory: Any) -> Sequences:
    g = torch.Generator().manual_seed(seed)
    parts = (
        torch.randn(8, 6, 3, generator=g),
        torch.randint(4, (8, 5), generator=g),
        torch.randn(8, 5, generator=g),
        torch.ones(8, 5),
        torch.ones(8, 5),
    )
    return Sequences(*(part.to(device) for part in parts), {"state": memory})


def steps(seed: int, device: torch.device) -> list[Step]:
    g = np.random.default_rng(seed)
    never = np.zeros(8, bool)
    seen = [g.normal(size=(8, 3)).astype(np.float32) for _ in range(5)]
    nothing = torch.zeros(8, 0, device=device)
    return [Step(a, g.integers(4, size=8), g.normal(size=8), never, never, b, nothing) for a, b in pairwise(seen)]


@needs_a_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("kind", [DQNConfig, DoubleDQNConfig, DRQNConfig, PQNConfig])
def test_on_a_gpu_updates_are_those_without_recording(kind: Any, precision: PrecisionName) -> None:
    device = torch.device("cuda")
    options: dict[str, Any] = dict(SMALL)
    if kind in (DQNConfig, DoubleDQNConfig):
        options |= {"stream": {"stack": 1}, "target_period": 3}
    elif kind is DRQNConfig:
        options |= {"memory": {"size": 8}, "target_period": 3}
    else:
        options |= {"stack": 1}
    make = lambda: kind.model_validate(options).make(Spec((3,), False, 4), Rng(0), choose("cuda", precision))  # noqa: E731
    ours, plain = make(), make()
    plain._recorded_slope = plain._slope
    for seed in range(8):
        if kind is DRQNConfig:
            data: Any = windows(seed, device, ours.initial_state(8))
            other = data._replace(carried=dict(data.carried))
        else:
            data = other = steps(seed, device) if kind is PQNConfig else transitions(seed, device)
        a, b = ours.update(data), plain.update(other)
        torch.testing.assert_close(float(a["loss"]), float(b["loss"]), rtol=1e-4, atol=1e-5)
    for x, y in zip(ours._network.parameters(), plain._network.parameters(), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-3, atol=1e-4)
