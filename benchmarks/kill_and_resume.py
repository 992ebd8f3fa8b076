"""Kill a training with SIGKILL at random moments, resume it, and compare everything with the uninterrupted run.

    python benchmarks/kill_and_resume.py                 # 10 kills for each of the runs below: every member, and more
    python benchmarks/kill_and_resume.py dqn rbm --kills 5

Compared are every tensor, array and number of the last checkpoint (weights, optimizers, replay or chains, environments,
random generators, averages), every snapshot, image and video, and every line of metrics.jsonl, except times. A
kill counts if the run folder existed and the run had not finished. The trainings are forks of this process, which has
imported the program once; each is a process of its own that ends by SIGKILL.
"""

import argparse
import hashlib
import importlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sandbox.cli.main import main as run_command
from sandbox.runs.config import AgentRun, GeneratorRun
from sandbox.runs.registry import names
from sandbox.runs.resolve import resolve

SMALL = ["logger.wandb=off", "threads=1", "device=cpu"]
REPLAY = "agent.stream.replay={num_envs: 4, capacity: 600, warmup: 100, update_period: 8}"
NATURE = "agent.backbone={name: nature, channels: [4, 8, 8], hidden: 16}"
WRAPPERS = (
    "env.wrappers=[{flicker: {p: 0.5}}, {noise: {std: 0.1}}, {sticky_actions: {p: 0.25}}, {frame_stack: {count: 2}}]"
)
SHORT = ["steps=2000", "evaluate_period=0", "log_period=150", "checkpoint_period=500", "snapshots=3"]
RECORDED = [*SHORT[2:], "steps=2000", "evaluate_period=700", "evaluate_episodes=2", "media_period=450"]
IMAGES = ["steps=150", "evaluate_period=60", "media_period=40", "log_period=15", "checkpoint_period=30"]
PAIRS = "data={count: 120, shrink: 4}"
RUNS = {
    "random": ["catch_random", "steps=6000", "log_period=500", "checkpoint_period=1500", "evaluate_period=0"],
    "dqn": ["catch_dqn", NATURE, REPLAY, "agent.frame_stack=3", *RECORDED],
    "double_dqn": ["catch_double_dqn", NATURE, REPLAY, *RECORDED],
    "q_learning": ["grid_world_q_learning", *SHORT],
    "sarsa": ["grid_world_sarsa", *SHORT],
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
    "vae": ["digits_vae", "steps=400", "log_period=30", "checkpoint_period=100", "evaluate_period=150"],
    "gan": ["digits_gan", "steps=400", "log_period=30", "checkpoint_period=100", "evaluate_period=150", "snapshots=3"],
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
MORE_DIGITS = (
    *("autoencoder", "cgan", "contractive_autoencoder", "denoising_autoencoder", "hopfield", "infogan"),
    *("modern_hopfield", "sigmoid_belief_net", "sparse_autoencoder"),
)
RUNS |= {member: [f"digits_{member}", *DIGITS, "media_period=60"] for member in MORE_DIGITS}
RUNS["infogan"] = ["digits_infogan", *DIGITS, "snapshots=3", "log_period=25", "checkpoint_period=35"]
SMALL_BACKBONE = "generator.backbone={name: strided, channels: [8, 16]}"
RUNS["lapgan"] = ["digits_gan", "generator={name: lapgan}", SMALL_BACKBONE, *DIGITS]
RUNS["stackgan"] = ["digits_gan", "generator={name: stackgan}", SMALL_BACKBONE, *DIGITS]
NORMS = {"dcgan": "batch", "lsgan": "batch", "sngan": "none", "wgan": "none", "wgan_gp": "none"}
for member, norm in NORMS.items():
    backbone = f"{{name: strided, channels: [8, 16], norm: {norm}}}"
    regularizers = "{historical_averaging: 0.1}"
    RUNS[member] = [
        "digits_gan",
        f"generator={{name: {member}, backbone: {backbone}, regularizers: {regularizers}}}",
        *DIGITS,
    ]
TIMES = {"time", "time/steps_per_second"}


def words_of(learner: str, runs: Path) -> list[str]:
    return ["train", *RUNS[learner], *SMALL, "name=run", "--runs", str(runs), "--resume", "--quiet"]


def contents(run: Path) -> dict[str, Any]:
    """Return the contents of a run folder without times: checkpoint, snapshots, images, videos and log."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    media = sorted(path for folder in ("samples", "videos") for path in (run / folder).rglob("*") if path.is_file())
    return {
        "checkpoint": _hashes(sorted((run / "checkpoints").glob("step_*"))[-1]),
        "snapshots": [_hashes(place) for place in sorted((run / "snapshots").glob("step_*"))],
        "media": {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in media},
        "metrics": [{key: value for key, value in line.items() if key not in TIMES} for line in lines],
    }


def _hashes(place: Path) -> tuple[str, dict[str, str]]:
    """Return a checkpoint's name, and its hashes but that of the log's state, which contains seconds."""
    files = json.loads((place / "manifest.json").read_text())["files"]
    return place.name, {name: digest for name, digest in files.items() if name != "logger.json"}


def start_training(learner: str, runs: Path) -> int:
    """Start a training and wait until its folder exists, for before that there is nothing to lose; return its id."""
    if child := os.fork():
        while not (runs / "run").exists() and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            time.sleep(0.002)
        return child
    runs.mkdir(parents=True, exist_ok=True)
    said = os.open(runs / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.argv = ["sandbox", *words_of(learner, runs)]
    code = 1
    try:
        run_command()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


def wait_for(child: int, learner: str, runs: Path) -> None:
    """Wait for the end of a training that must succeed."""
    if os.waitpid(child, 0)[1]:
        sys.exit(f"sandbox {' '.join(words_of(learner, runs))} fails:\n{(runs / 'said.txt').read_text()}")


def train_and_kill(learner: str, runs: Path, seconds: float) -> bool:
    """Train for `seconds` and kill; return False if the training had finished before."""
    child = start_training(learner, runs)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def kill_and_resume(learner: str, kills: int, seed: int) -> int:
    """Return how many of `kills` resumed runs are identical to the uninterrupted one."""
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        child = start_training(learner, folder / "whole")
        start = time.monotonic()
        wait_for(child, learner, folder / "whole")
        seconds = time.monotonic() - start
        whole = contents(folder / "whole" / "run")
        same = done = 0
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
            wait_for(start_training(learner, runs), learner, runs)
            found = contents(runs / "run")
            differ = [part for part in whole if found[part] != whole[part]]
            same += not differ
            if differ:
                where = f"killed at {moment:.1f} of {seconds:.1f} s, line {reached}"
                print(f"{learner} {done}: {where}: DIFFERENT in {', '.join(differ)}", flush=True)
                names = {str(part) for part in whole["media"].items() ^ found["media"].items()}
                print(*sorted(names), sep="\n", flush=True)
        parts = {part: len(value) for part, value in whole.items() if part in ("snapshots", "media")}
        print(f"{learner}: {same} of {done} identical; the run has {parts}", flush=True)
        return same


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("learners", nargs="*", default=list(RUNS), help=f"runs to train: {', '.join(RUNS)}")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for module in ("sandbox.cli.train", "sandbox.runs.sessions", "torch._dynamo"):  # once, before the forks
        importlib.import_module(module)
    configs = [resolve(words[:1], words[1:]) for words in RUNS.values()]
    trained = {config.agent.name for config in configs if isinstance(config, AgentRun)}
    trained |= {config.generator.name for config in configs if isinstance(config, GeneratorRun)}
    if missing := {*names("agents"), *names("generators")} - trained:
        sys.exit(f"no run here trains {', '.join(sorted(missing))}")
    results = {name: kill_and_resume(name, options.kills, options.seed) for name in options.learners}
    print(json.dumps({name: f"{same}/{options.kills}" for name, same in results.items()}))
    sys.exit(any(same < options.kills for same in results.values()))


if __name__ == "__main__":
    main()
