"""Kill a training with SIGKILL at random moments, resume it, and compare everything with the uninterrupted run.

    python benchmarks/kill_and_resume.py                 # 20 kills for each of the runs below
    python benchmarks/kill_and_resume.py dqn rbm --kills 5

Compared are every tensor, array and number of the last checkpoint (weights, optimizers, replay or chains, environments,
random generators, averages) and every line of metrics.jsonl, except times. A kill counts if the run folder existed and
the run had not finished.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SMALL = ["logger.wandb=off", "threads=1", "device=cpu"]
REPLAY = "agent.stream.replay={num_envs: 4, capacity: 600, warmup: 100, update_period: 8}"
NATURE = "agent.backbone={name: nature, channels: [4, 8, 8], hidden: 16}"
WRAPPERS = (
    "env.wrappers=[{flicker: {p: 0.5}}, {noise: {std: 0.1}}, {sticky_actions: {p: 0.25}}, {frame_stack: {count: 2}}]"
)
SHORT = ["steps=2000", "evaluate_period=0", "log_period=150", "checkpoint_period=500"]
IMAGES = ["steps=150", "evaluate_period=60", "media_period=40", "log_period=15", "checkpoint_period=30"]
PAIRS = "data={count: 120, shrink: 4}"
RUNS = {
    "random": ["catch_random", "steps=6000", "log_period=500", "checkpoint_period=1500", "evaluate_period=0"],
    "dqn": ["catch_dqn", NATURE, REPLAY, "agent.frame_stack=3", *SHORT],
    "overlap": ["catch_dqn", NATURE, REPLAY, "overlap=true", "agent.n_step=3", *SHORT],
    "wrappers": ["catch_dqn", NATURE, REPLAY, WRAPPERS, *SHORT],
    "atari": ["catch_dqn", NATURE, REPLAY, "env={name: atari, game: breakout, sticky: 0.25}", *SHORT],
    "gym": ["catch_dqn", "agent.backbone={name: mlp}", REPLAY, "env={name: gym, id: LunarLander-v3}", *SHORT],
    "rainbow": ["catch_rainbow", NATURE, REPLAY, "overlap=true", *SHORT],
    "iqn": ["catch_iqn", NATURE, REPLAY, "overlap=true", *SHORT],
    "pqn": ["cart_pole_v1_pqn", "steps=100000", "log_period=5000", "checkpoint_period=20000"],
    "drqn": ["blind_catch_drqn", NATURE, REPLAY, *SHORT],
    "sequential": ["blind_catch_drqn", NATURE, REPLAY, "agent.stream.updates=sequential", *SHORT],
    "r2d2": [
        "memory_chain_r2d2",
        "agent.stream.replay={num_envs: 4, capacity: 1200, warmup: 400, update_period: 8}",
        "overlap=true",
        *SHORT,
    ],
    "darqn": ["flicker_pong_darqn", "agent.backbone.channels=[4, 8, 8]", REPLAY, "agent.attention.name=hard", *SHORT],
    "sb3": ["catch_sb3", "agent.algorithm=recurrent_ppo", "env.observe=features", *SHORT],
    "sb3_replay": ["catch_sb3", "agent.algorithm=dqn", "env.observe=features", *SHORT],
    "vae": ["digits_vae", "steps=400", "log_period=30", "checkpoint_period=100", "evaluate_period=0"],
    "gan": ["digits_gan", "steps=400", "log_period=30", "checkpoint_period=100", "evaluate_period=0"],
    "pix2pix": ["edges_pix2pix", PAIRS, *IMAGES],
    "cyclegan": ["colors_cyclegan", PAIRS, "generator.pool_size=10", *IMAGES],
    "context_encoder": ["digits_context_encoder", *IMAGES],
    "rbm": ["digits_rbm", *SHORT],
    "boltzmann_machine": ["bars_and_stripes_boltzmann_machine", "steps=600", *SHORT[1:], "checkpoint_period=150"],
    "dbn": ["digits_dbn", "generator.pretraining_steps=500", "generator.up_down.steps=500", *SHORT],
    "dbm": ["digits_dbm", "generator.pretraining_steps=500", "generator.learning_steps=500", *SHORT],
    "stacked": ["digits_stacked_autoencoder", "generator.pretraining_steps=300", *SHORT],
    "vq_vae": ["digits_vq_vae", "steps=400", *SHORT[1:], "checkpoint_period=100"],
}
DIGITS = ["steps=200", "log_period=15", "checkpoint_period=50", "evaluate_period=0", "media_period=0"]
NORMS = {"dcgan": "batch", "lsgan": "batch", "sngan": "none", "wgan": "none", "wgan_gp": "none"}
for member, norm in NORMS.items():
    backbone = f"{{name: strided, channels: [8, 16], normalization: {norm}}}"
    regularizers = "{historical_averaging: 0.1}"
    RUNS[member] = [
        "digits_gan",
        f"generator={{name: {member}, backbone: {backbone}, regularizers: {regularizers}}}",
        *DIGITS,
    ]
TIMES = {"time", "time/steps_per_second"}


def command(learner: str, runs: Path) -> list[str]:
    words = [*RUNS[learner], *SMALL, "name=run", "--runs", str(runs), "--resume", "--quiet"]
    return [sys.executable, "-c", "from sandbox.cli.main import main; main()", "train", *words]


def contents(run: Path) -> dict[str, object]:
    """Return the run's last checkpoint and its log, without times."""
    newest = sorted((run / "checkpoints").glob("step_*"))[-1]
    files = json.loads((newest / "manifest.json").read_text())["files"]
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    rows = [{key: value for key, value in line.items() if key not in TIMES} for line in lines]
    # The state of the log contains the seconds, and the size of the file, which varies with their digits.
    return {"step": newest.name, "files": {k: v for k, v in files.items() if k != "logger.json"}, "metrics": rows}


def start_training(learner: str, runs: Path) -> subprocess.Popen[bytes]:
    """Start a training and wait until its folder exists; before that, there is nothing to lose."""
    process = subprocess.Popen(command(learner, runs), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (runs / "run").exists():
        time.sleep(0.01)
    return process


def train_and_kill(learner: str, runs: Path, seconds: float) -> bool:
    """Train for `seconds` and kill; return False if the training had finished before."""
    process = start_training(learner, runs)
    time.sleep(seconds)
    interrupted = process.poll() is None
    process.kill()
    process.wait()
    return interrupted


def kill_and_resume(learner: str, kills: int, seed: int) -> int:
    """Return how many of `kills` resumed runs are identical to the uninterrupted one."""
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        whole_run = start_training(learner, folder / "whole")
        start = time.monotonic()
        if whole_run.wait():
            sys.exit(f"{learner} does not train: {' '.join(command(learner, folder / 'whole'))}")
        seconds = time.monotonic() - start
        whole = contents(folder / "whole" / "run")
        same = 0
        done = 0
        for attempt in range(10 * kills):
            if done == kills:
                break
            runs = folder / f"killed_{attempt}"
            moment = moments.uniform(0, seconds)
            if not train_and_kill(learner, runs, moment):
                continue
            done += 1
            log = runs / "run" / "metrics.jsonl"
            reached = log.read_text().count("\n") if log.exists() else 0
            subprocess.run(command(learner, runs), check=True, capture_output=True)
            result = "DIFFERENT"
            if contents(runs / "run") == whole:
                same += 1
                result = "identical"
            where = f"killed at {moment:.1f} of {seconds:.1f} s, line {reached}"
            print(f"{learner} {done}: {where}: {result}", flush=True)
        return same


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("learners", nargs="*", default=list(RUNS), help=f"runs to train: {', '.join(RUNS)}")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    results = {name: kill_and_resume(name, options.kills, options.seed) for name in options.learners}
    print(json.dumps({name: f"{same}/{options.kills}" for name, same in results.items()}))
    sys.exit(any(same < options.kills for same in results.values()))


if __name__ == "__main__":
    main()
