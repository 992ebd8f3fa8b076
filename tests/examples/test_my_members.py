"""examples/my_members: an agent, an environment, a generator and a data set, in a folder and as a package."""

import subprocess
import sys
from importlib import invalidate_caches
from pathlib import Path

import numpy as np
import pytest

from sandbox.runs.own_members import own
from sandbox.runs.resolve import member

EXAMPLE = Path(__file__).parents[2] / "examples" / "my_members"
MEMBERS = EXAMPLE / "my_members"
MADE = {"agents": "advantage_learning", "envs": "windy_grid", "generators": "ppca", "data": "discs"}
SMALL = ["logger.wandb=off", "log_period=50", "checkpoint_period=100", "evaluate_period=0"]
AGENT = ["env={name: windy_grid, observe: features}", "agent.name=advantage_learning", "agent.stream.replay.warmup=100"]
GENERATOR = ["data={name: discs, count: 100, test_count: 20}", "generator.name=ppca"]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example as an installed package; it is built without a network."""
    place = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--disable-pip-version-check", "--target", place, EXAMPLE], check=True)
    return place


@pytest.fixture(params=["folder", "package"])
def named(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words that name the members: none for a package."""
    if request.param == "folder":
        return ["--members", str(MEMBERS)]
    monkeypatch.syspath_prepend(request.getfixturevalue("site"))
    invalidate_caches()
    return []


def test_an_agent_and_an_environment(sandbox, named, tmp_path):
    origin = str(MEMBERS) if named else "my-members 0.1.0"
    for family, name in MADE.items():
        lines = sandbox("list", family, *named).out.splitlines()
        assert any(name in line and origin in line for line in lines), lines
    assert sandbox("train", *AGENT, "steps=200", "name=walk", *SMALL, *named).code == 0
    assert sandbox("resume", "walk", "--steps", "300", *named).code == 0
    assert sandbox("evaluate", "walk", "--episodes", "2", *named).code == 0
    assert sandbox("watch", "walk", "--video", "walk.gif", "--episodes", "1", *named).code == 0
    assert (tmp_path / "walk.gif").stat().st_size > 1_000
    assert sandbox("report", "walk", "--out", "walk.html", *named).code == 0
    assert "windy_grid" in (tmp_path / "walk.html").read_text()
    for made in ("advantage_learning", "windy_grid"):
        said = sandbox("check", made, *named)
        assert said.code == 0, said.out
        assert "BROKEN" not in said.out


def test_a_generator_and_a_data_set(sandbox, named, tmp_path):
    assert sandbox("train", *GENERATOR, "steps=200", "name=round", *SMALL, *named).code == 0
    assert sandbox("resume", "round", "--steps", "250", *named).code == 0
    assert sandbox("sample", "round", "--out", "round.png", *named).code == 0
    assert sandbox("evaluate", "round", "--images", "20", *named).code == 0
    assert sandbox("report", "round", "--out", "round.html", *named).code == 0
    assert "ppca" in (tmp_path / "round.html").read_text()
    for made in ("ppca", "discs"):
        said = sandbox("check", made, *named)
        assert said.code == 0, said.out
        assert "BROKEN" not in said.out


@pytest.mark.parametrize("config", sorted(path.stem for path in (MEMBERS / "configs").glob("*.yaml")))
def test_the_shipped_configs_are_found(sandbox, config):
    assert f"name: {config.partition('_')[0]}" in sandbox("show", config, "--members", str(MEMBERS)).out


def test_the_best_return_of_windy_grid_is_that_of_the_textbook():
    """Search breadth first through the environment's own steps: the shortest way has 15."""
    own.add(MEMBERS)
    env = member("envs", {"name": "windy_grid"}, "env").program(4)  # one copy for each action
    reached = front = {(3, 0)}
    found_after = None
    for steps in range(1, 30):
        found = set()
        for cell in front:
            places = env.state_arrays()["place"]
            places[:] = cell
            _, terminated, _ = env.step(np.arange(4), None)
            if terminated.any():
                found_after = found_after or steps
            found |= set(map(tuple, places.tolist()))
        front = found - reached
        reached = reached | front
    assert found_after == 15
