"""A run of a second, and what is left of it in its folder, for tests of the command line."""

import json
from pathlib import Path

TINY = [
    "catch_dqn",
    "agent.backbone={name: mlp, hidden: [8]}",
    "env.observe=features",
    "agent.stream.replay={num_envs: 4, capacity: 400, warmup: 100, update_period: 8}",
    "agent.frame_stack=1",
    "steps=600",
    "log_period=100",
    "evaluate_period=0",
    "checkpoint_period=200",
    "logger.wandb=off",
    "threads=1",
]


def metrics(run: Path) -> list[dict]:
    """The lines of a log without what depends on the clock."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("time", "time/steps_per_second")} for line in lines]


def checkpoint(run: Path) -> dict:
    """The hashes of the newest checkpoint's files, without that of the log's length in bytes."""
    newest = sorted((run / "checkpoints").iterdir())[-1]
    files = json.loads((newest / "manifest.json").read_text())["files"]
    return {name: digest for name, digest in files.items() if name != "logger.json"}
