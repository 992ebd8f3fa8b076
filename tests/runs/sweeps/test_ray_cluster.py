"""A sweep on a Ray cluster of two nodes, of which one is killed in the middle."""

import subprocess
import sys
from pathlib import Path

import pytest
from tiny_runs import TINY, checkpoint, metrics
from waiting import until

pytest.importorskip("ray", reason="Ray is not installed")
WORDS = [*TINY, "steps=3000", "seed=0..3", "--jobs", "2"]


@pytest.mark.attack
def test_a_killed_node_loses_nothing(sandbox, tmp_path):
    script = Path(__file__).with_name("ray_cluster.py")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, str(script)], **pipes) as cluster:
        address = cluster.stdout.readline().strip()
        command = [sys.executable, "-m", "sandbox", "sweep", *WORDS, "name=far", "--engine", "ray"]
        with subprocess.Popen(
            [*command, "--address", address], cwd=tmp_path, stderr=subprocess.PIPE, text=True
        ) as sweep:
            runs = tmp_path / "runs"
            until(lambda: sweep.poll() is not None or list(runs.glob("far_s*/checkpoints/step_*")), 120)
            cluster.stdin.write("\n")
            cluster.stdin.flush()
            said = sweep.communicate(timeout=200)[1]
        cluster.stdin.close()
    assert sweep.returncode == 0, said
    assert "lost with its node" in said
    assert sandbox("sweep", *WORDS, "name=near", "--quiet").code == 0
    for seed in range(4):
        assert metrics(runs / f"far_s{seed}") == metrics(runs / f"near_s{seed}")
        assert checkpoint(runs / f"far_s{seed}") == checkpoint(runs / f"near_s{seed}")
    command = (runs / "far_s0" / "run.json").read_text()
    assert '"catch_dqn"' in command or "train catch_dqn" in command
