"""Functions that are captured as CUDA graphs."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from sandbox.agents.double_dqn import DoubleDQNConfig
from sandbox.agents.dqn import DQNConfig
from sandbox.agents.drqn import DRQNConfig
from sandbox.agents.pqn import PQNConfig
from sandbox.buffers.replay import Transitions
from sandbox.buffers.sequences import SequenceBatch, Sequences
from sandbox.core.background import InlineRunner
from sandbox.core.compute import Compute, PrecisionName, choose
from sandbox.core.cuda_graph import CudaGraphed
from sandbox.core.rng import Rng
from sandbox.environments.interaction import EnvStep
from sandbox.envs.catch import CatchConfig
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP
from sandbox.training.loop import Run

needs_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
FEATURES, IMAGES = Spec((3,), False, 4), Spec((1, 36, 36), num_actions=4)
SMALL: dict[str, Any] = {"backbone": {"name": "mlp", "hidden": [16]}, "optimizer": {"lr": 1e-2, "clip_norm": 1.0}}


def test_on_a_cpu_the_function_itself_is_called() -> None:
    def double(x: torch.Tensor) -> tuple[Sequence[torch.Tensor], Sequence[torch.Tensor]]:
        return (2 * x,), ()

    assert choose("cpu").capture(double) is double


@needs_a_gpu
def test_on_a_gpu_each_shape_is_recorded_once_and_new_inputs_and_weights_count() -> None:
    device, calls = torch.device("cuda"), list[int]()
    weight = torch.ones((), device=device)

    def scaled(x: torch.Tensor) -> tuple[Sequence[torch.Tensor], Sequence[torch.Tensor]]:
        calls.append(len(x))
        return (weight * x,), ()

    recorded = CudaGraphed(scaled, device, InlineRunner())
    given = torch.arange(3.0, device=device)
    assert recorded(given)[0][0].tolist() == [0.0, 1.0, 2.0]
    once = len(calls)
    weight.fill_(3.0)
    assert recorded(given + 1)[0][0].tolist() == [3.0, 6.0, 9.0]
    assert len(calls) == once
    assert recorded(given[:2])[0][0].tolist() == [0.0, 3.0]
    assert recorded(given)[0][0].tolist() == [0.0, 3.0, 6.0]
    assert len(calls) == 2 * once


class StandIn:
    """A graph, stream or context of a machine without a GPU."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass

    def wait_stream(self, stream: object) -> None:
        pass

    def replay(self) -> None:
        pass


def test_warming_up_changes_no_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed run warms up again; it goes on like the others only if its layers do not count these calls."""
    for name in ("CUDAGraph", "Stream", "stream", "graph", "current_stream"):
        monkeypatch.setattr(torch.cuda, name, StandIn)
    backbone = MLP(hidden=(4,), dropout=0.5, activation="rrelu", spectral_norm=True)
    first, second = backbone.make((3,)), backbone.make((3,))
    second.load_state_dict(first.state_dict())
    CudaGraphed(lambda x: ([first(x)], []), torch.device("cpu"), InlineRunner())(torch.ones(2, 3))
    second(torch.ones(2, 3))  # as the call that is captured
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def transitions(seed: int, device: torch.device, shape: tuple[int, ...] = (3,)) -> Transitions:
    g = torch.Generator().manual_seed(seed)
    made = Transitions(
        _seen(8, shape, g),
        torch.randint(4, (8,), generator=g),
        torch.randn(8, 1, generator=g),
        torch.randint(2, (8, 1), generator=g).float(),
        torch.ones(8, dtype=torch.int64),
        _seen(8, shape, g),
    )
    return Transitions(*(part.to(device) for part in made))


def _seen(count: int, shape: tuple[int, ...], g: torch.Generator) -> torch.Tensor:
    if len(shape) == 3:
        return torch.randint(256, (count, *shape), generator=g, dtype=torch.uint8)
    return torch.randn(count, *shape, generator=g)


def windows(seed: int, device: torch.device, memory: Any) -> SequenceBatch:
    g = torch.Generator().manual_seed(seed)
    parts = (
        torch.randn(8, 6, 3, generator=g),
        torch.randint(4, (8, 5), generator=g),
        torch.randn(8, 5, generator=g),
        torch.ones(8, 5),
        torch.ones(8, 5),
    )
    return SequenceBatch(Sequences(*(part.to(device) for part in parts)), memory)


def steps(seed: int, device: torch.device) -> list[EnvStep]:
    g = np.random.default_rng(seed)
    never = np.zeros(8, bool)
    seen = [g.normal(size=(8, 3)).astype(np.float32) for _ in range(5)]
    nothing = torch.zeros(8, 0, device=device)
    return [EnvStep(a, g.integers(4, size=8), g.normal(size=8), never, never, b, nothing) for a, b in pairwise(seen)]


def same(ours: Any, plain: Any) -> None:
    for x, y in zip(ours.parts()["network"].parameters(), plain.parts()["network"].parameters(), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-3, atol=1e-4)


def pair(kind: Any, precision: PrecisionName, spec: Spec = FEATURES, **options: Any) -> tuple[Any, Any]:
    """A learner that records, and one that does not."""
    compute = choose("cuda", precision)
    config = kind.model_validate({**SMALL, **options})
    ours, plain = (
        config.make(spec, Rng(0), each, NO_RUNS) for each in (compute, Compute(compute.device, compute.bf16))
    )
    return ours, plain


@needs_a_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("kind", [DQNConfig, DoubleDQNConfig])
@pytest.mark.parametrize("spec", [FEATURES, IMAGES], ids=["features", "images"])
def test_on_a_gpu_updates_are_those_without_recording(kind: Any, precision: PrecisionName, spec: Spec) -> None:
    network = {"backbone": {"name": "nature", "channels": [4, 4, 4], "hidden": 16}} if spec is IMAGES else {}
    ours, plain = pair(kind, precision, spec, frame_stack=1, target_period=3, **network)
    kept = []
    for seed in range(8):
        data = transitions(seed, torch.device("cuda"), spec.shape)
        kept.append((ours.update(data)["loss"], plain.update(data)["loss"]))
    for a, b in kept:  # each its own, not the last one eight times
        torch.testing.assert_close(float(a), float(b), rtol=1e-3, atol=1e-4)
    same(ours, plain)


@needs_a_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_on_a_gpu_memories_are_carried_as_without_recording(precision: PrecisionName) -> None:
    ours, plain = pair(DRQNConfig, precision, recurrent={"size": 8}, target_period=3)
    mine, theirs = ours.initial_state(8), plain.initial_state(8)
    for seed in range(8):
        data, other = (windows(seed, torch.device("cuda"), memory) for memory in (mine, theirs))
        ours.update(data)
        plain.update(other)
        before, (mine, theirs) = mine, (data.state, other.state)
        assert not torch.equal(before[0], mine[0])
    for x, y in zip(mine, theirs, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-3, atol=1e-4)
    same(ours, plain)


@needs_a_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_on_a_gpu_parts_of_unequal_size_are_recorded_apart(precision: PrecisionName) -> None:
    ours, plain = pair(PQNConfig, precision, frame_stack=1, num_minibatches=3)
    for seed in range(8):
        data = steps(seed, torch.device("cuda"))
        a, b = ours.update(data), plain.update(data)
        torch.testing.assert_close(float(a["loss"]), float(b["loss"]), rtol=1e-3, atol=1e-4)
    same(ours, plain)


@needs_a_gpu
def test_on_a_gpu_playing_next_to_the_update_that_records_changes_nothing() -> None:
    """The thread waits while the update records; the actions are those before the update with and without it."""
    weights = []
    for overlap in (False, True):
        compute, rng, env = choose("cuda", overlap=overlap), Rng(0), CatchConfig()
        config = DQNConfig.model_validate(
            {**SMALL, "frame_stack": 1, "stream": {"replay": {"warmup": 64, "num_envs": 8}}}
        )
        learner = config.make(spec_of(env.make(1)), rng, compute, NO_RUNS)
        run = Run(learner, config.stream.make(env.make, learner, rng, compute), rng)
        for _ in zip(range(20), run.steps(), strict=False):
            pass
        compute.background.wait()
        weights.append(torch.cat([each.flatten() for each in learner.parts()["network"].parameters()]))
    torch.testing.assert_close(*weights, rtol=1e-3, atol=1e-4)
