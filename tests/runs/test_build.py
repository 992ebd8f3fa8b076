"""Runs that are built with the help of other members."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sandbox.agents._frame_stack import FrameStack
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import reset_where
from sandbox.runs import registry
from sandbox.runs.build import RunsIn, actor_for, build
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


def test_frames_are_stacked_as_by_the_wrapper_and_by_agents(tmp_path: Path) -> None:
    """The oldest first, and zeros from before the start of an episode; Catch has several in 40 steps."""
    rng, catch = Rng(0), {"name": "catch"}
    stacked = RunsIn(tmp_path).frames(catch, "random", 16 * 40, Rng(0), 3)
    wrapped = RunsIn(tmp_path).frames({**catch, "wrappers": [{"frame_stack": {"count": 3}}]}, "random", 16 * 40, Rng(0))
    assert np.array_equal(stacked, wrapped)
    single = RunsIn(tmp_path).frames(catch, "random", 16 * 40, rng)
    assert np.array_equal(stacked[:, 2:], single)
    starts = ~stacked[:, :2].reshape(40, 16, -1).any(2)
    assert 16 < starts.sum() < 16 * 10
    stack = FrameStack(Spec((1, 84, 84), is_bytes=True), 3, torch.device("cpu"))
    state = stack.initial_state(16)
    for observations, expected, start in zip(
        single.reshape(40, 16, 1, 84, 84), stacked.reshape(40, 16, 3, 84, 84), starts, strict=True
    ):
        found, state = stack.push(observations, reset_where(state, start))
        assert np.array_equal(found.numpy(), expected)
