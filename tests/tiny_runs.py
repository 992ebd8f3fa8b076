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

# The same, but for the agent, and agents with a replay.
TINY_OF_ANY = [
    "env={name: catch, observe: features}",
    *[word for word in TINY[1:] if not word.startswith(("agent", "env"))],
    "log_period=8",
]
_SMALL = "backbone: {name: mlp, hidden: [8]}"
_REPLAY = "replay: {num_envs: 4, capacity: 400, warmup: 100, update_period: 8}"
_SEQUENCES = "batch_size: 4, length: 4"
REPLAY_AGENTS = {
    "dqn": f"{_SMALL}, stream: {{{_REPLAY}}}",
    "rainbow": f"{_SMALL}, stream: {{{_REPLAY}}}",
    "drqn": f"{_SMALL}, stream: {{{_SEQUENCES}, updates: sequential, {_REPLAY}}}",
    "r2d2": f"{_SMALL}, stream: {{{_SEQUENCES}, period: 4, burn_in: 2, {_REPLAY}}}",
    "sb3": "algorithm: dqn, options: {dqn: {learning_starts: 100, buffer_size: 400}}, stream: {num_envs: 4}",
}


def metrics(run: Path) -> list[dict]:
    """The lines of a log without what depends on the clock."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("time", "time/steps_per_second")} for line in lines]


def checkpoint(run: Path) -> dict:
    """The hashes of the newest checkpoint's files, without that of the log's length in bytes."""
    newest = sorted((run / "checkpoints").iterdir())[-1]
    files = json.loads((newest / "manifest.json").read_text())["files"]
    return {name: digest for name, digest in files.items() if name != "logger.json"}
