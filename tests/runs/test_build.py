"""Runs that are built with the help of other members."""

from pathlib import Path

import pytest

from sandbox.runs import registry
from sandbox.runs.build import build
from sandbox.runs.resolve import resolve


@pytest.mark.parametrize("agent", [name for name in registry.names("agents") if name not in ("q_learning", "sarsa")])
def test_a_generator_learns_from_frames_of_every_agent(agent: str, tmp_path: Path) -> None:
    """The agent and the run's own stream may have random streams of one name."""
    words = ["data.name=frames", "data.env.name=catch", f"data.agent={agent}", "data.count=160", "generator.name=vae"]
    run = build(resolve([], [*words, "steps=2", "device=cpu"]), tmp_path).ready_to_resume()
    next(run.steps())
