"""Contracts that every agent and every generator keeps, found by name: a new file is under test at once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sandbox.core.background import Background, InlineRunner, ThreadRunner
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter
from sandbox.interfaces.agent import Inspectable
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.runs import registry
from sandbox.runs.build import build
from sandbox.runs.contracts import learners
from sandbox.runs.contracts.learners import go, same
from sandbox.runs.resolve import resolve
from sandbox.training.loop import Run

AGENTS, GENERATORS = registry.names("agents"), registry.names("generators")
EVERY = [*(("agent", name) for name in AGENTS), *(("generator", name) for name in GENERATORS)]


CATCH, FEATURES = "env.name=catch", "env={name: catch, observe: features}"
GRID_WORLD = "env={name: grid_world, observe: features}"
DIGITS = "data={name: digits, binarize: threshold}"
EDGES = "data={name: edges, count: 60, shrink: 4}"

# Sources of members that cannot learn from Catch (agents) or digits (generators).
SOURCES = {"q_learning": GRID_WORLD, "sarsa": GRID_WORLD, "pix2pix": EDGES, "cyclegan": EDGES}

# Members whose defaults ask for more than a test has time for: a part of a batch, or every stage within a few updates.
SHORT = {
    "dbm": ["generator={pretraining_steps: 2, learning_steps: 3}"],
    "dbn": ["generator={pretraining_steps: 2, up_down: {steps: 2}, softmax: {hidden_dropout: 0.5}}"],
    "conv_rbm": ["generator.ais={num_temperatures: 50, burn_in: 5}"],
    "conv_dbn": ["generator={pretraining_steps: 3, sample_steps: 9}"],
    "drqn": ["agent.stream={batch_size: 4}"],
    "darqn": ["agent.stream={batch_size: 4, length: 3}"],
    "r2d2": ["agent.stream={batch_size: 4, length: 6, period: 4, burn_in: 3, replay: {warmup: 200}}"],
}

# The smallest configs that still do everything, where defaults are large; on top of `SHORT`.
MLP = [FEATURES, "agent.backbone={name: mlp, hidden: [16]}"]
REPLAY = "agent.stream.replay={num_envs: 4, capacity: 2_000, warmup: 64}"
TARGET = "agent.target_period=4"  # so that it is copied within a few updates, and not in every second one
SMALL = {
    "dqn": [*MLP, REPLAY, TARGET],
    "double_dqn": [*MLP, REPLAY, TARGET],
    "rainbow": [*MLP, REPLAY, TARGET],
    "iqn": [*MLP, REPLAY, TARGET],
    "pqn": MLP,
    "drqn": [*MLP, REPLAY, TARGET],
    "darqn": [REPLAY, TARGET],  # its attention needs images
    "cyclegan": ["generator={channels: [8, 16], num_blocks: 1, patch_channels: [8, 16]}"],
    "r2d2": [*MLP, "agent.stream.replay={num_envs: 4, capacity: 2_000, warmup: 200}", TARGET],
}


def made(kind: str, name: str, folder: Path, seed: int = 0, *, small: bool = True) -> Any:
    """The member in its smallest config, or with its defaults, as far as a test has time for them."""
    usual = CATCH if kind == "agent" else DIGITS
    words = [f"{kind}.name={name}", SOURCES.get(name, usual), "steps=100", "device=cpu", f"seed={seed}"]
    words += SHORT.get(name, [])
    if small:
        words += SMALL.get(name, [])
    return build(resolve([], words), folder)


def start(kind: str, name: str, folder: Path, seed: int = 0) -> tuple[Any, Run]:
    built = made(kind, name, folder, seed)
    return built, built.ready_to_resume()


def again(kind: str, name: str, folder: Path, *, small: bool = True) -> learners.Make:
    return lambda seed: made(kind, name, folder, seed, small=small)


def assert_counted(run: Run, updates: int) -> None:
    """Stages and target networks hang on counts of updates, and one by twos shows in nothing else.

    A target network with period 4 differs after six updates; by twos it would have been copied in the sixth.
    """
    parts = run.learner.parts()
    counts = {
        name: part.value for name, part in parts.items() if isinstance(part, Counter) and name.endswith("updates")
    }
    assert counts.get("updates", updates) == updates
    assert set(counts.values()) <= {0, updates}  # those of later stages have not begun
    if "target" in parts:
        pairs = zip(parts["target"].network.parameters(), parts["network"].parameters(), strict=True)
        assert not all(torch.equal(ours, theirs) for ours, theirs in pairs)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_checkpoint_mid_way_changes_nothing(kind: str, name: str, tmp_path: Path) -> None:
    learners.a_checkpoint_changes_nothing(again(kind, name, tmp_path), tmp_path)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_updates_are_counted_one_by_one(kind: str, name: str, tmp_path: Path) -> None:
    _, run = start(kind, name, tmp_path)
    go(run, 6)
    assert_counted(run, 6)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_same_seed_same_numbers_other_seed_other_numbers(kind: str, name: str, tmp_path: Path) -> None:
    learners.the_seed_decides_all_numbers(again(kind, name, tmp_path), tmp_path)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_metrics_are_numbers_or_tensors_without_dimensions(kind: str, name: str, tmp_path: Path) -> None:
    """With the member's defaults."""
    learners.metrics_are_single_numbers(again(kind, name, tmp_path, small=False), tmp_path)


class Late:
    """As late as can be: what is started is done when somebody waits for it."""

    def __init__(self) -> None:
        self._left: list[Callable[[], None]] = []

    def start(self, work: Callable[[], None]) -> None:
        self._left.append(work)

    def wait(self) -> None:
        while self._left:
            self._left.pop()()


@pytest.mark.parametrize("name", GENERATORS)
def test_points_are_learned_or_refused(name: str, tmp_path: Path) -> None:
    """In one sentence, before anything is learned from them: sums over pixels would run over the batch as well."""
    points = "data={name: gaussian_ring, count: 200, test_count: 10}"
    config = resolve([], [f"generator.name={name}", points, "steps=10", "device=cpu"])
    if name in ("gan", "modern_hopfield"):
        go(build(config, tmp_path).ready_to_resume(), 2)
        return
    with pytest.raises(UserError) as refused:
        build(config, tmp_path)
    by_backbone = "backbone strided needs images [C, H, W] of at least 4x4, got (2,)"
    assert str(refused.value).startswith(by_backbone) or str(refused.value) == (
        f"generator.name={name} learns from images, but these data are points. Take a set of images, "
        "e.g. data.name=digits, or generator.name=gan, which learns points, too."
    )


@pytest.mark.parametrize("name", AGENTS)
def test_playing_on_next_to_an_update_changes_nothing(name: str, tmp_path: Path) -> None:
    """At its start, at its end or in the middle: weights and all that `act` reads stay as they were until then."""

    def after(runner: Background) -> tuple[Run, list[dict[str, float]]]:
        parts, _ = start("agent", name, tmp_path)
        compute = replace(parts.compute, background=runner)
        learner = parts.config.learner.make(spec_of(parts.config.env.make(1)), rng := Rng(0), compute, NO_RUNS)
        run = replace(parts, rng=rng, learner=learner, compute=compute).ready_to_resume()
        for _, _ in zip(range(8), run.steps(), strict=False):
            pass
        return run, go(run, 2)

    (early, rows), *others = (after(runner) for runner in (InlineRunner(), Late(), ThreadRunner()))
    for run, theirs in others:
        assert theirs == rows
        same(run, early, "with another runner")


@pytest.mark.parametrize("name", AGENTS)
def test_agents_act_in_batches_and_carry_their_state(name: str, tmp_path: Path) -> None:
    learners.actions_come_in_batches(again("agent", name, tmp_path), tmp_path)


@pytest.mark.parametrize("name", registry.able("agents", Inspectable))
def test_greedy_actions_have_the_best_values(name: str, tmp_path: Path) -> None:
    """The values that the viewer shows are those by which the agent acts, but for random numbers of its own."""
    built, _ = start("agent", name, tmp_path)
    agent, envs, best = built.learner, built.config.env.make(8), []
    state = agent.initial_state(8)
    for part in agent.parts().values():
        if isinstance(part, torch.nn.Module):
            for parameter in part.parameters():
                parameter.data.mul_(3)  # so that values differ clearly
    observations, _ = envs.reset(seed=1)
    for _ in range(6):
        values = agent.q_values(agent.network_input(observations, state), state)
        assert values.shape == (8, spec_of(envs).num_actions)
        actions, state = agent.act(observations, state, explore=False)
        best += (values.amax(1) == values[torch.arange(8), torch.from_numpy(actions)]).tolist()
        observations, _, terminated, truncated, _ = envs.step(actions)
        if (ended := terminated | truncated).any():
            observations, _ = envs.reset(options={"reset_mask": ended})
    assert np.mean(best) > 0.8


@pytest.mark.parametrize("name", GENERATORS)
def test_generators_have_samples(name: str, tmp_path: Path) -> None:
    learners.samples_have_the_shape_of_the_data(again("generator", name, tmp_path), tmp_path)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_docstrings_name_the_paper_and_the_deviations(kind: str, name: str) -> None:
    document = registry.docstring(registry.files(f"{kind}s")[name])
    assert "Paper: " in document
    assert "Deviations: " in document or "Deviations:\n" in document


@pytest.mark.parametrize(
    ("family", "name"), [(f, n) for f in ("envs", "agents", "generators", "data") for n in registry.names(f)]
)
def test_the_file_is_the_member(family: str, name: str) -> None:
    config = registry.config_class(family, name)
    assert config.model_fields["name"].default == name
    lines = registry.files(family)[name].read_text().count("\n")
    assert lines <= 300
