"""Recurrent agents: steps per second of DRQN and DARQN, against DQN (`theirs`); all are ours, on Pong from pixels.

All have the same convolutions and learn equally often from each transition. DQN: stacks of four frames, 32 transitions
every four steps. DRQN: single frames, an LSTM of 512 units, 32 windows of ten transitions every forty steps, each batch
in one pass. DARQN: the same with soft attention and an LSTM of 256 units.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from sandbox.bench._measure import Row, rates, trainer
from sandbox.config.yaml_text import text_of
from sandbox.core.compute import bf16_pays
from sandbox.runs.build import build
from sandbox.runs.resolve import resolve

CAPACITY, WARMUP, BATCH, UNROLL, PERIOD, CHUNK = 10_000, 400, 32, 10, 4, 80


def rows() -> Iterator[Row]:
    """Measure steps per second."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for precision in ("fp32", "bf16") if bf16_pays(device) else ("fp32",):
        dqn = _side("dqn", precision, PERIOD, {"batch_size": BATCH})
        windows = {"batch_size": BATCH, "length": UNROLL}
        others = {
            "DRQN": _side("drqn", precision, PERIOD * UNROLL, windows),
            "DARQN": _side("darqn", precision, PERIOD * UNROLL, windows),
        }
        *ours, theirs = rates(*others.values(), dqn)
        for what, speed in zip(others, ours, strict=True):
            yield Row(f"{what} on {device.type}, {precision}", "steps/s", speed, theirs)


def _side(agent: str, precision: str, period: int, batch: dict[str, int]) -> Callable[[], int]:
    """Return a function that trains an agent; `batch` has the options of its stream besides the replay."""
    replay = {"num_envs": 8, "capacity": CAPACITY, "warmup": WARMUP, "update_period": period}
    words = [
        f"agent.name={agent}",
        "env.name=pong",
        "steps=1",
        f"precision={precision}",
        f"agent.stream={text_of({**batch, 'replay': replay})}",
    ]
    if agent == "darqn":
        words.append("agent.backbone.channels=[32, 64, 64]")
    return trainer(build(resolve([], words), Path()).ready_to_resume(), CHUNK)
