"""Runs that are built with the help of other members."""

from pathlib import Path

import pytest

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.runs import registry
from sandbox.runs.build import actor_for, build
from sandbox.runs.resolve import resolve
from sandbox.storage.run_folder import RunFolder


@pytest.mark.parametrize("agent", [name for name in registry.names("agents") if name not in ("q_learning", "sarsa")])
def test_a_generator_learns_from_frames_of_every_agent(agent: str, tmp_path: Path) -> None:
    """The agent and the run's own stream may have random streams of one name."""
    words = ["data.name=frames", "data.env.name=catch", f"data.agent={agent}", "data.count=160", "generator.name=vae"]
    run = build(resolve([], [*words, "steps=2", "device=cpu"]), tmp_path).ready_to_resume()
    next(run.steps())


@pytest.mark.parametrize("step", ["", "@5"])
def test_data_of_an_agent_name_a_run_that_stays_the_same(tmp_path: Path, step: str) -> None:
    RunFolder.create(tmp_path, "mine", config="steps: 5\n", command=[])
    with pytest.raises(UserError) as error:
        actor_for(tmp_path, {"name": "catch"}, f"latest{step}", 1, Rng(0))
    assert str(error.value) == (
        f"data.agent=latest{step} would mean another run later; name the run: data.agent=mine{step}"
    )
