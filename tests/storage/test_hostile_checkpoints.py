"""Checkpoints from somebody else, with right hashes: whatever is in them, the older good one is taken."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from storage.mutations import copy, mutate

from sandbox.core.errors import UserError
from sandbox.runs.build import build
from sandbox.runs.resolve import resolve
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.places import place_name

MLP = ["env={name: catch, observe: features}", "agent.backbone={name: mlp, hidden: [8]}"]
REPLAY = ["agent.stream.replay={num_envs: 2, capacity: 60, warmup: 8}", "agent.stream.batch_size=4"]
SEQUENCES = "replay: {num_envs: 2, capacity: 60, warmup: 20}"
LEARNERS = {
    "dqn": ["agent.name=dqn", *MLP, *REPLAY],
    "rainbow": ["agent.name=rainbow", *MLP, *REPLAY],
    "r2d2": [
        "agent.name=r2d2",
        *MLP,
        "agent.stream={batch_size: 2, length: 4, period: 2, burn_in: 1}",
        "agent.stream.replay={num_envs: 2, capacity: 60, warmup: 20}",
    ],
    "pqn": ["agent.name=pqn", *MLP],
    "q_learning": ["agent.name=q_learning", "env={name: grid_world, observe: features}"],
    "vae": ["generator.name=vae", "data.name=bars_and_stripes", "generator.backbone={name: mlp, hidden: [8]}"],
    "gan": ["generator.name=gan", "data.name=gaussian_ring", "generator.backbone={name: mlp, hidden: [8]}"],
    "rbm": ["generator.name=rbm", "data.name=bars_and_stripes", "generator.backbone.hidden=[4]"],
    "dbm": ["generator.name=dbm", "data.name=bars_and_stripes", "generator.backbone.hidden=[4, 4]"],
    "hopfield": ["generator.name=hopfield", "data.name=bars_and_stripes"],
}


def run_of(name: str, folder: Path) -> Any:
    return build(resolve([], [*LEARNERS[name], "steps=100", "device=cpu"]), folder).ready_to_resume()


def attack(name: str, folder: Path, count: int, seed: int) -> None:
    """Mutate the newest of two checkpoints `count` times, and load; only then may the older one be taken."""
    rng, run = random.Random(f"{seed} {name}"), run_of(name, folder)
    for _ in zip(range(2), run.steps(), strict=False):
        pass
    store = Checkpoints(folder / "checkpoints")
    good = store.save(1, run.parts())
    for _ in range(count):
        newest = copy(good, folder / "checkpoints" / place_name(2))
        told = mutate(newest, rng)
        assert store.load(run.parts()) in (1, 2), told
        shutil.rmtree(newest)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_hostile_checkpoint_is_passed_over(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    attack(name, tmp_path, 8, seed=0)


@pytest.mark.attack
@pytest.mark.parametrize("name", LEARNERS)
def test_many_hostile_checkpoints(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    attack(name, tmp_path, 300, seed=1)


def test_alone_it_is_refused_in_one_message(tmp_path: Path) -> None:
    run = run_of("vae", tmp_path)
    place = Checkpoints(tmp_path).save(1, run.parts())
    (place / "learner.network.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match="no good checkpoint of this config"):
        Checkpoints(tmp_path).load(run.parts())


class Forgetful:
    """A part that takes any state, and has it from then on."""

    def __init__(self, state: Any) -> None:
        self.state = state

    def state_dict(self) -> Any:
        return {"value": self.state}

    def load_state_dict(self, state: Any) -> None:
        self.state = state["value"]
        if self.state == "wrong":
            raise ValueError("but it has it now")


def test_what_a_bad_checkpoint_leaves_behind_spoils_no_good_one(tmp_path: Path, capsys: Any) -> None:
    store, part = Checkpoints(tmp_path), Forgetful(None)
    store.save(1, {"part": Forgetful([1, 2])})
    store.save(2, {"part": Forgetful("wrong")})
    assert store.load({"part": part}) == 1
    assert part.state == [1, 2]


def test_options_of_an_optimizer_are_not_taken_from_a_checkpoint(tmp_path: Path) -> None:
    """A checkpoint of a GPU has `fused` or `capturable`; one of somebody else may have anything."""
    run = run_of("dqn", tmp_path)
    rule = run.parts()["learner.optimizer"]
    before = rule.state_dict()["param_groups"]
    state = {**rule.state_dict(), "param_groups": [{**before[0], "foreach": [], "capturable": True, "lr": 0.5}]}
    rule.load_state_dict(state)
    assert rule.state_dict()["param_groups"] == [{**before[0], "lr": 0.5}]
