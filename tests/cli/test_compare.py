"""`sandbox evaluate A B` of runs of a second: two agents, and two generators."""

import json
import shutil

import pytest
from PIL import Image
from tiny_runs import TINY


@pytest.fixture
def two_agents(sandbox, tmp_path):
    """A run, and the same run as it was at its second checkpoint."""
    assert sandbox("train", *TINY, "name=a", "keep_replay=true", "--quiet").code == 0
    shutil.copytree(tmp_path / "runs/a", tmp_path / "runs/b")
    newest = sorted((tmp_path / "runs/b/checkpoints").iterdir())[-1]
    shutil.rmtree(newest)
    return tmp_path / "runs"


def test_two_agents(sandbox, two_agents):
    """The numbers are those of each run alone, and of the pairs; the plot goes where it is told."""
    said = sandbox("evaluate", "a", "b", "--episodes", "30", "--json", "--picture", "plots/ab.png")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    alone = [json.loads(sandbox("evaluate", name, "--episodes", "30", "--json").out) for name in "ab"]
    assert found["runs"] == alone
    assert [run["step"] for run in alone] == [600, 400]
    (difference,) = found["differences"]
    assert difference["difference"] == pytest.approx(alone[1]["return_mean"] - alone[0]["return_mean"])
    assert (difference["figure"], difference["paired"]) == ("return_mean", True)
    with Image.open("plots/ab.png") as image:
        assert image.width == 700
    assert json.loads((two_agents / "b/evaluation.json").read_text())["episodes"] == 30

    said = sandbox("evaluate", "a", "b", "--episodes", "5")
    table, sentence, place = said.out.split("\n\n")[0], *said.out.splitlines()[-2:]
    assert table.splitlines()[0].split() == ["run", "step", "episodes", "return", "length"]
    assert table.splitlines()[2].split()[:3] == ["b", "400", "5"]
    assert sentence == "Return: 5 episodes are too few to compare a with b: add --episodes 200"
    assert place == "runs/a/samples/compare_a_b.png"
    assert (two_agents / "a/samples/compare_a_b.png").is_file()
    wrong = sandbox("evaluate", "a", "b", "--plot", "ab.jpg")
    assert (wrong.code, wrong.err) == (2, "error: --plot ab.jpg: images are PNG; name it ab.png\n")
    wrong = sandbox("evaluate", "a", "--plot", "a.png")
    assert wrong.err == (
        "error: --plot shows several runs or several values: give another run or --vary, or leave --plot out\n"
    )


def test_two_generators(sandbox, tmp_path):
    words = ["generator={name: gan, backbone: {name: mlp, hidden: [8]}}", "logger.wandb=off", "media_period=0"]
    words += ["data={name: gaussian_ring, count: 200, test_count: 100}", "steps=3", "evaluate_period=0", "threads=1"]
    assert sandbox("train", *words, "name=a", "--quiet").code == 0
    shutil.copytree(tmp_path / "runs/a", tmp_path / "runs/b")
    said = sandbox("evaluate", "a", "b")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].split() == ["a", "b"]
    (shown,) = [line for line in lines if line.startswith("Jensen-Shannon divergence (nats) ↓")]
    ours, theirs = shown.split()[-2:]
    assert ours == theirs
    assert lines[-1] == "runs/a/samples/compare_a_b.png"
    refused = sandbox("evaluate", "a", "a")
    assert (refused.code, refused.err) == (2, "error: a is given twice: give each run once\n")
