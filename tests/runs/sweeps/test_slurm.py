"""A sweep on SLURM: the text of the script, and arrays that a made-up `sbatch` runs to their end."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_runs import TINY, metrics

from sandbox.core.errors import UserError
from sandbox.runs.sweeps.slurm_engine import slurm_options

SBATCH = """#!{python}
import os, re, signal, subprocess, sys, time
from pathlib import Path
script = sys.argv[1]
last, jobs = map(int, re.search(r"^#SBATCH --array=0-(\\d+)%(\\d+)$", Path(script).read_text(), re.M).groups())
kill = os.environ.pop("KILL", None)
waiting, running = list(range(last + 1)), []
while waiting or running:
    while waiting and len(running) < jobs:
        place = str(waiting.pop(0))
        env = dict(os.environ, SLURM_ARRAY_JOB_ID="7", SLURM_ARRAY_TASK_ID=place)
        running.append(subprocess.Popen(["bash", script], env=env, cwd="/"))
    if kill and list(Path(kill).glob("*_s0/checkpoints/step_*")):
        subprocess.run(["pkill", "-KILL", "-P", str(running[0].pid)])
        running[0].kill()
        kill = None
    running = [each for each in running if each.poll() is None]
    time.sleep(0.02)
print("Submitted batch job 7")
"""
SEARCH = """config: catch_dqn
name: far
method: random
run_cap: 2
metric: {{name: env/return, goal: maximize}}
options: {options}
parameters:
  agent.discount: {{min: 0.8, max: 0.99}}
  seed: {{values: [0, 1]}}
"""


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    """A folder with a space, and `sbatch` on the path."""
    place = tmp_path / "bin"
    place.mkdir()
    (place / "sbatch").write_text(SBATCH.format(python=sys.executable))
    (place / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")


def test_the_script(sandbox, tmp_path, monkeypatch):
    home = tmp_path / "my runs"
    home.mkdir()
    monkeypatch.chdir(home)
    words = ["sweep", *TINY, "seed=0..4", "name=far", "--engine", "slurm", "--jobs", "3"]
    done = sandbox(*words, "--slurm=--partition=gpu --gres=gpu:1 --time=4:00:00", "--retry", "1")
    assert done.code == 0, done.err
    assert done.out == "sbatch runs/sweeps/far/slurm.sh\n"
    script = home / "runs" / "sweeps" / "far" / "slurm.sh"
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0
    folder = home / "runs" / "sweeps" / "far"
    assert script.read_text().splitlines() == [
        "#!/bin/bash",
        "#SBATCH --array=0-4%3",
        "#SBATCH --requeue",
        "#SBATCH --signal=B:TERM@120",
        "#SBATCH --output=/dev/null",
        "#SBATCH --job-name=far",
        "#SBATCH --cpus-per-task=1",
        "#SBATCH --partition=gpu",
        "#SBATCH --gres=gpu:1",
        "#SBATCH --time=4:00:00",
        f"mkdir -p '{folder}/logs'",
        f"exec >>'{folder}/logs'/\"slurm_${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}.txt\" 2>&1",
        f"cd '{home}' || exit 1",
        f"exec {shlex.quote(sys.executable)} -m sandbox sweep '{folder}/sweep.yaml' --at-most 1 "
        f"--runs '{home}/runs' --retry 1",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--partition gpu", "--slurm: 'gpu' is no option of sbatch; write --name=value, such as "),
        ("--time=1\n#SBATCH --uid=0", "--slurm: it has a line break; write --name=value, such as "),
        ("--comment=$(id)", "--slurm: '--comment=$(id)' is no option of sbatch; "),
        ("--array=0-9", "--slurm: --array=0-9: the script gives --array itself; leave it out"),
    ],
)
def test_wrong_options(text, message):
    with pytest.raises(UserError) as error:
        slurm_options(text)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--at-most", "0"], "--at-most 0: a sweep that trains nothing; give 1 or more"),
        (["--submit"], "--submit is for --engine slurm"),
        (["--slurm=--time=1"], "--slurm is for --engine slurm"),
    ],
)
def test_wrong_words(sandbox, tmp_path, words, message):
    said = sandbox("sweep", *TINY, "seed=0..1", *words)
    assert (said.code, said.err) == (2, f"error: {message}\n")
    assert not (tmp_path / "runs").exists()


def test_without_sbatch(sandbox):
    assert shutil.which("sbatch") is None
    said = sandbox("sweep", *TINY, "seed=0..1", "name=far", "--engine", "slurm", "--submit")
    assert (said.code, said.err.splitlines()[-1]) == (
        2,
        "error: --submit: there is no sbatch on this machine. On a machine of the cluster: "
        "sbatch runs/sweeps/far/slurm.sh",
    )


@pytest.mark.attack
@pytest.mark.parametrize("method", ["grid", "random"])
def test_an_array_of_which_a_task_is_killed_loses_nothing(sandbox, sbatch, tmp_path, monkeypatch, method):
    words = [*TINY, "steps=1600", "agent.discount=0.9,0.99", "seed=0..1", "name=far"]
    if method == "random":
        pytest.importorskip("optuna")
        options = json.dumps([*TINY[1:], "steps=1600"])
        (tmp_path / "far.yaml").write_text(SEARCH.format(options=options))
        words = ["far.yaml"]
    home = tmp_path / "my runs"
    command = ["sweep", *words, "--engine", "slurm", "--jobs", "2", "--submit", "--runs", str(home)]
    monkeypatch.setenv("KILL", str(home))
    first = sandbox(*command)
    assert (first.code, first.out) == (0, "Submitted batch job 7\n"), first.err
    results = home / "sweeps" / "far" / "results.json"
    found = [name for each in json.loads(results.read_text())["settings"] for name in each["finished"]]
    assert len(set(found)) == len(found) == 3
    monkeypatch.delenv("KILL")
    second = sandbox(*command)
    assert (second.code, second.out) == (0, "Submitted batch job 7\n"), second.err
    assert "--array=0-0%2" in (home / "sweeps" / "far" / "slurm.sh").read_text()
    assert sandbox(*command).out == "all runs are finished\n"

    settings = json.loads(results.read_text())["settings"]
    found = sorted(name for each in settings for name in each["finished"])
    assert len(found) == 4
    assert sorted(path.name for path in Path(home).glob("far_*")) == found
    again = [*words, "threads=1"] if method == "grid" else [*words, "threads=1", "name=far"]
    assert sandbox("sweep", *again, "--runs", str(tmp_path / "here"), "--quiet").code == 0
    for name in found:
        assert metrics(home / name) == metrics(tmp_path / "here" / name)
