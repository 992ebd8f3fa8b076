"""Watched updates: gradient norms and shares of units of every learner, and the same training as without."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import test_members
import torch
from test_no_waiting import Watch, one_hot
from tiny_runs import TINY
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.cuda_graph import CudaGraphed, paused_graphs
from sandbox.interfaces.learner import Learner, Metrics
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.gradient_norm import GradientNorm
from sandbox.optimizers.rule_state import RuleState
from sandbox.runs.contracts.learners import same
from sandbox.training.loop import Periods
from sandbox.training.update_watch import UpdateWatch, WatchedLearner

WITHOUT = {"q_learning", "sarsa", "random", "boltzmann_machine", "hopfield", "modern_hopfield", "rbm", "dbm", "dbn"}
WITHOUT |= {"conv_rbm", "conv_dbn", "sigmoid_belief_net"}


def watched(run: Any, updates: int) -> tuple[UpdateWatch, dict[str, float]]:
    """Take watched updates, and return what was found in the last one."""
    watch = UpdateWatch()
    run.learner = WatchedLearner(run.learner, watch, run.stream, periods(log_period=1))
    for _, _ in zip(range(updates), run.steps(), strict=False):
        pass
    return watch, watch.take()


def periods(**given: int) -> Periods:
    return Periods.model_validate({"steps": 10**9, **given})


@pytest.mark.parametrize(("kind", "name"), test_members.EVERY)
def test_every_learner_with_an_optimizer_logs_its_gradient_norm(kind: str, name: str, tmp_path: Path) -> None:
    built, run = test_members.start(kind, name, tmp_path)
    watch, found = watched(run, 3)
    assert any(metric.startswith("gradient_norm") for metric in found) == (name not in WITHOUT)
    assert all(value > 0 for metric, value in found.items() if metric.startswith("gradient_norm"))
    assert all(0 <= value <= 1 for metric, value in found.items() if metric.startswith("units/"))
    assert watch.take() == {}
    for part in built.learner.parts().values():
        if isinstance(part, nn.Module):
            assert not any(module._forward_hooks for module in part.modules())


@pytest.mark.parametrize(("kind", "name"), test_members.EVERY)
def test_a_watched_training_is_the_same_bit_for_bit(kind: str, name: str, tmp_path: Path) -> None:
    (_, plain), (_, other) = (test_members.start(kind, name, tmp_path) for _ in range(2))
    test_members.go(plain, 4)
    watched(other, 4)
    same(plain, other, "after watched updates")


@pytest.mark.parametrize(
    ("kind", "name"), [("agent", "dqn"), ("generator", "vae"), ("generator", "wgan_gp"), ("generator", "dcgan")]
)
def test_a_watched_update_reads_nothing_back(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.nn.functional, "one_hot", one_hot)
    _, run = test_members.start(kind, name, tmp_path)
    with Watch() as reads:
        _, run = test_members.start(kind, name, tmp_path)
        reads.count = 0
        watch = UpdateWatch()
        batch = next(run.stream)
        while batch is None:
            batch = next(run.stream)
        watch.update(run.learner, batch)
        reads.count = 0
        watch.update(run.learner, batch)
        assert reads.count == 0
    assert watch.take()


@pytest.mark.parametrize("clip_norm", [None, 0.5, 1e6])
def test_the_norm_is_that_of_pytorch_before_clipping(clip_norm: float | None) -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    other = copy.deepcopy(network)
    inputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)) * 3
    optimizer = Adam(lr=0.1, clip_norm=clip_norm).make(network.parameters(), Compute(torch.device("cpu")))
    with GradientNorm(optimizer) as measured:
        assert measured.norm is None
        optimizer.minimize(network(inputs).square().sum())
    other(inputs).square().sum().backward()
    assert measured.norm == nn.utils.clip_grad_norm_(other.parameters(), 1.0)
    assert measured.norm > 0.5
    before = measured.norm
    optimizer.minimize(network(inputs).square().sum())
    assert measured.norm is before


def test_the_norm_of_a_pytorch_optimizer_by_hand() -> None:
    weights = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(3))]
    rule = torch.optim.SGD(weights, lr=0.1)
    weights[0].grad, weights[1].grad = torch.tensor([2.0, 3.0]), torch.tensor(6.0)
    with GradientNorm(RuleState(rule)) as measured:
        rule.step()
    assert measured.norm == 7.0  # 4 + 9 + 36 = 49; the third has no gradient
    assert not rule._optimizer_step_pre_hooks


class Ticks:
    """A stream whose step grows by 4."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __next__(self) -> int:
        self.step += 4
        return self.step

    def metrics(self) -> dict[str, float]:
        return {}

    def parts(self) -> dict[str, Any]:
        return {}


class Counts(UpdateWatch):
    """Writes down which updates are watched."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def update(self, learner: Learner, batch: Any) -> Metrics:
        self.seen.append(batch)
        return super().update(learner, batch)


@pytest.mark.parametrize(("begun", "seen"), [(0, [12, 20, 32, 40, 44]), (20, [32, 40, 44]), (8, [12, 20, 32, 40, 44])])
def test_the_last_update_before_each_line_is_watched_and_no_other(begun: int, seen: list[int]) -> None:
    """Lines are written when the step passes a multiple of 10, and at the end, also in a run that was resumed."""

    class Learns:
        def update(self, batch: Any) -> dict[str, float]:
            return {"loss": 1.0}

        def parts(self) -> dict[str, Any]:
            return {}

    watch, stream = Counts(), Ticks(begun)
    learner = WatchedLearner(Learns(), watch, stream, periods(steps=42, log_period=10))
    while stream.step < 42:
        assert learner.update(next(stream)) == {"loss": 1.0}
    assert watch.seen == seen


def test_the_log_has_the_findings_in_every_line_of_training(sandbox: Any, tmp_path: Path) -> None:
    assert sandbox("train", *TINY, "name=mine").code == 0
    lines = [json.loads(line) for line in (tmp_path / "runs/mine/metrics.jsonl").read_text().splitlines()]
    learning = [line for line in lines if "loss" in line]
    assert len(learning) > 3
    assert all(line["gradient_norm"] > 0 and 0 <= line["units/dead"] <= 1 for line in learning)


def test_names_follow_the_parts() -> None:
    network, other = nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Sequential(nn.Linear(2, 2), nn.Sigmoid())
    compute = Compute(torch.device("cpu"))
    optimizers = [Adam().make(each.parameters(), compute) for each in (network, other)]
    unused = Adam().make(nn.Linear(1, 1).parameters(), compute)

    class Learner:
        def update(self, batch: torch.Tensor) -> dict[str, float]:
            optimizers[0].minimize(network(batch).sum())
            optimizers[1].minimize(other(batch).sum())
            return {"loss": 1.0}

        def parts(self) -> dict[str, Any]:
            return {
                "network": network,
                "critic": other,
                "optimizer": optimizers[0],
                "critic_optimizer": optimizers[1],
                "later": unused,
            }

    watch = UpdateWatch()
    assert watch.update(Learner(), torch.ones(3, 2)) == {"loss": 1.0}
    assert set(watch.take()) == {"gradient_norm", "gradient_norm/critic", "units/dead", "units/saturated/critic"}


def test_a_graph_is_not_replayed_while_an_update_is_watched() -> None:
    """Hooks would not be called. Without a GPU nothing can be captured, so a capture would fail here."""
    graphed = CudaGraphed(lambda x: ([x + 1], [x]), torch.device("cpu"), Compute(torch.device("cpu")).background)
    with paused_graphs():
        (result,), _ = graphed(torch.ones(()))
    assert result == 2
