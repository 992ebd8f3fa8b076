import json
import re
import sys
import warnings

import pytest

from sandbox.storage.run_folder import RunFolder

CONFIG = (
    "steps: {steps}\nseed: {seed}\nname: {name}\nenv: {{name: {env}, observe: features}}\nagent: {{name: {agent}}}\n"
)


@pytest.fixture
def make(tmp_path):
    def run(name, *, steps=200, seed=0, env="catch", agent="dqn"):
        config = CONFIG.format(name=name, steps=steps, seed=seed, env=env, agent=agent)
        folder = RunFolder.create(tmp_path / "runs", name, config=config, command=["sandbox", "train", name])
        rows = [{"step": 100 * i, "time": 1.0 * i, "env/return": seed + 0.5 * i} for i in (1, 2)]
        folder.metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return folder

    return run


def test_a_page_of_the_latest_run(sandbox, make, tmp_path):
    make("a")
    said = sandbox("report")
    assert (said.code, said.out, said.err) == (0, "runs/report.html\n", "")
    text = (tmp_path / "runs" / "report.html").read_text()
    assert "<h1>a: dqn on catch</h1>" in text
    assert re.search(r'<p class="about">\d+ [A-Z][a-z]+ 20\d\d</p>', text)
    assert "random is 100 episodes of the agent <code>random</code>, seed 12345, played for this report" in text


def test_runs_by_name_and_by_what_they_are(sandbox, make, tmp_path):
    for name, options in (("a_s0", {}), ("a_s1", {"seed": 1}), ("b", {"agent": "pqn"}), ("c", {"env": "snake"})):
        make(name, **options)

    def rows(*words):
        assert sandbox("report", *words, "--markdown", "out.md").code == 0
        lines = (tmp_path / "out.md").read_text().splitlines()
        start = lines.index("| runs | learner | source | seeds | steps |") + 2
        return sorted(line.split(" | ")[0].strip("| ") for line in lines[start:] if line.startswith("| "))[:9]

    assert set(rows("a_s0", "c")) >= {"a_s0", "c"}
    assert "b" not in rows("env=catch", "agent=dqn")
    assert "a" in rows("env=catch", "agent=dqn")
    assert "a_s1" in rows("seed=1")
    assert "b" in rows("name=[b]")


def test_a_run_still_being_written_is_reported_as_it_is(sandbox, make):
    make("a", steps=500)
    said = sandbox("report", "a")
    assert said.code == 0
    assert said.err == "note: a is stopped at step 200 of 500: the report shows its current state\n"


def test_a_damaged_run_is_left_out(sandbox, make, tmp_path):
    make("a")
    make("b").metrics.write_text("what\n")
    said = sandbox("report", "a", "b")
    assert said.code == 0
    assert said.err == (
        "note: runs/b is left out: runs/b/metrics.jsonl, line 1: not a line of metrics. Is it the log of a run?\n"
    )
    assert "b/metrics.jsonl, line 1" in (tmp_path / "runs" / "report.html").read_text()
    assert sandbox("report", "b").err.startswith("error: `runs/b` is left out: runs/b/metrics.jsonl, line 1")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ["--runs", "no"],
            "no runs in no yet. Train one, such as `sandbox train catch_dqn`, or say --runs DIR.",
        ),
        (["env=snake"], "no run here has env=snake. See `sandbox runs`."),
        (
            ["agnt=dqn"],
            "no run has an option 'agnt' to filter by. Did you mean 'agent'? "
            "Filters are key=value, such as env=catch, agent.discount=0.9 or finished=false.",
        ),
        (
            ["--metric", "env/retun"],
            "no run here has logged 'env/retun'. Did you mean 'env/return'? Logged: env/return.",
        ),
        (["--out", "a.pdf"], "cannot write a report to a.pdf: its name must end in .html"),
        (["--markdown", "a.html"], "cannot write a report to a.html: its name must end in .md"),
        (
            ["--markdown", "a.md", "--out", "a.html"],
            "--out writes a page and --markdown writes a text: give one of them",
        ),
    ],
)
def test_mistakes(sandbox, make, words, error):
    make("a")
    said = sandbox("report", *words)
    assert (said.code, said.err) == (2, f"error: {error}\n")


def test_a_place_that_cannot_be_written(sandbox, make, tmp_path):
    make("a")
    (tmp_path / "file").write_text("")
    said = sandbox("report", "a", "--out", "file/report.html")
    assert said.code == 2
    assert said.err.endswith("Check the path, its permissions and the space on the disk.\n")
    assert said.err.startswith("error: ")


def test_wandb_without_the_library(sandbox, make, monkeypatch):
    make("a")
    monkeypatch.setitem(sys.modules, "wandb_workspaces", None)
    monkeypatch.setitem(sys.modules, "wandb_workspaces.reports.v2", None)
    said = sandbox("report", "a", "--wandb")
    assert (said.code, said.err) == (
        2,
        'error: a W&B Report needs wandb-workspaces: pip install "rl-sandbox[report]".\n',
    )


def test_wandb_without_a_key(sandbox, make, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("wandb_workspaces.reports.v2")
    make("a")
    (make("b").wandb / "offline-run-1").mkdir(parents=True)
    (tmp_path / "runs/b/wandb/offline-run-1/run-x.wandb").write_text("")
    said = sandbox("report", "a", "b", "--wandb", "--out", "kept.json")
    assert (said.code, said.out) == (0, "kept.json\n")
    assert said.err.splitlines() == [
        "note: W&B has no data of a (logger.wandb=off): its curves leave them out",
        "note: kept offline until `sandbox sync b`: b",
        "note: WANDB_MODE=disabled is set, so the report is kept; after `wandb login`, publish it with: "
        "sandbox report --publish kept.json",
    ]
    assert json.loads((tmp_path / "kept.json").read_text())["displayName"] == "dqn on catch: 2 runs"
    refused = sandbox("report", "--publish", "kept.json")
    assert (refused.code, refused.err) == (
        2,
        "error: WANDB_MODE=disabled is set, so the report was not published. "
        "Run `wandb login` or set WANDB_API_KEY, then try again.\n",
    )
