"""Measures one run in several processes, and computes from it what a cluster would give.

python benchmarks/scaling.py --measure  steps/s of digits_vae and catch_dqn by torchrun with 1, 2 and 4 processes,
                                        and of atari_pong_rainbow with 0, 1, 2 and 4 actors (some minutes)
python benchmarks/scaling.py --model    the cost model to 64 nodes, from the constants below
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

QUIET = ["evaluate_period=0", "checkpoint_period=0", "snapshots=0", "media_period=0", "logger.wandb=off", "threads=1"]
SHARED = {
    "digits_vae": ["steps=400", "log_period=200", "generator.stream.batch_size=512"],
    "catch_dqn": ["steps=3_000", "log_period=1_500", "agent.stream.batch_size=256"],
}
RAINBOW = [
    "steps=2_500",
    "log_period=500",
    "agent.stream.replay.warmup=1_000",
    "agent.stream.replay.capacity=20_000",
]

# The model's constants: of a Nature network and Atari's Pong at 84x84, one core each.
ACTOR = 330.0  # agent steps/s of one actor: a step of one process without updates, on the machine of docs/scaling.md
UPDATE = 0.10  # seconds of an update with 32 transitions, one core
FIXED = 0.01  # seconds of an update that do not shrink with the rows: optimizer, target network, Python
ROWS = 32
WEIGHTS = 6.87e6 * 4  # bytes of a network with noisy layers, means and deviations
FRAME = 2 * 84 * 84  # bytes of a step: the observations before and after it
BANDWIDTH, LATENCY = 10e9 / 8, 50e-6  # bytes/s and seconds of 10 Gbit/s Ethernet, each way
PERIOD, COPY = 4, 100  # agent steps for an update, updates between two copies of the weights


def speed(launch: list[str], words: list[str]) -> dict[str, float]:
    """Train in a folder that is thrown away; return the last line of the log that has a speed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *launch, "-m", "sandbox", "train", *words, *QUIET, "name=run", "-q"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        rows = [json.loads(row) for row in (Path(folder) / "runs/run/metrics.jsonl").read_text().splitlines()]
        return [row for row in rows if "time/steps_per_second" in row][-1]


def measure() -> None:
    for config, words in SHARED.items():
        for count in (1, 2, 4):
            launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
            found = speed(launch if count > 1 else [], [config, *words])
            print(f"{config}, {count} processes: {found['time/steps_per_second']:.1f} steps/s", flush=True)
    for count in (0, 1, 2, 4):
        actors = [f"agent.stream.actors={{count: {count}}}"] if count else []
        found = speed([], ["atari_pong_rainbow", *RAINBOW, *actors])
        shown = {key: round(value, 3) for key, value in found.items() if key.startswith(("actors/", "time/steps"))}
        print(f"atari_pong_rainbow, {count} actors: {json.dumps(shown)}", flush=True)


def joined(nodes: int) -> float:
    """Seconds in which a ring of nodes sums its gradients."""
    return 2 * (nodes - 1) / nodes * WEIGHTS / BANDWIDTH + 2 * (nodes - 1) * LATENCY


def model() -> None:
    print("| nodes | torchrun, 32 rows: updates/s | torchrun, 32 rows each: rows/s | actors: steps/s | bound by |")
    print("|---|---|---|---|---|")
    row = (UPDATE - FIXED) / ROWS
    for nodes in (1, 2, 4, 8, 16, 32, 64):
        shared = f"{1 / (FIXED + row * ROWS / nodes + joined(nodes)):.1f}" if ROWS % nodes == 0 else "–"
        weak = nodes * ROWS / (FIXED + row * ROWS + joined(nodes))
        copies = nodes * WEIGHTS / BANDWIDTH / COPY  # seconds per update in which weights leave the learner
        limits = {
            "actors": nodes * ACTOR,
            "learner": PERIOD / (UPDATE + copies),
            "network": BANDWIDTH / FRAME,
        }
        bound = min(limits, key=lambda name: limits[name])
        print(f"| {nodes} | {shared} | {weak:,.0f} | {limits[bound]:,.0f} | {bound} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="measure on this machine")
    parser.add_argument("--model", action="store_true", help="print the cost model")
    chosen = parser.parse_args()
    if chosen.measure:
        measure()
    if chosen.model:
        model()
