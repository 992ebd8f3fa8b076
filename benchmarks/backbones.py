"""Compare all backbones in both halves: python benchmarks/backbones.py OUT [NAME ...]

Each backbone is the torso of a DQN on Catch from 84x84 pixels (12,000 steps), the encoder of a VAE on binary MNIST
(2,000 updates), the discriminator of a GAN on MNIST (2,000 updates; its mirror image is the generator) and the body of
a classifier of MNIST (3,000 updates), with seed 0 and one thread. `nature` takes no images of 28x28.

Figures go to OUT/backbones.jsonl, one line for each training; those that are there are not measured again. At the end
they are printed as a table. All of it takes some two hours of one core. SANDBOX_DATA names the folder of MNIST.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

BACKBONES = {
    "mlp": "hidden: [256, 256]",
    "lenet": "channels: [6, 16]",
    "alexnet": "channels: [24, 64, 96, 96, 64]",
    "vgg": "channels: [16, 32, 64]",
    "nature": "channels: [32, 64, 64]",
    "strided": "channels: [32, 64]",
    "impala": "channels: [16, 32, 32]",
    "resnet": "channels: [16, 32, 64]",
    "inception": "channels: [16, 64, 96]",
    "densenet": "growth: 12",
    "attentive": "channels: [16, 32, 64]",
    "capsules": "channels: 32, primary: 8",
}
GAN = "data.name=mnist steps=2000 generator='{{name: dcgan, backbone: {backbone}, latent_size: 64, {optimizers}}}'"
OPTIMIZERS = ", ".join(
    f"{name}_optimizer: {{lr: 4e-4, betas: [0.5, 0.999], lr_decay_steps: 2000}}"
    for name in ("discriminator", "generator")
)
TRAININGS = {
    "dqn": "catch_dqn agent.backbone='{backbone}'",
    "vae": "data='{{name: mnist, binarize: sample}}' steps=2000 generator='{{name: vae, backbone: {backbone}, "
    "latent_size: 40, optimizer: {{lr: 1e-3, lr_decay_steps: 2000}}, stream: {{batch_size: 128}}}}'",
    "gan": GAN,
    "classifier": "data.name=mnist steps=3000 generator='{{name: classifier, backbone: {backbone}, "
    "optimizer: {{lr: 1e-3, lr_decay_steps: 3000}}, stream: {{batch_size: 100, shift: 1}}}}'",
}
COMMON = "seed=0 threads=1 precision=auto logger.wandb=off evaluate_period=0 media_period=0"
IMAGES = {"vae": 1_000, "gan": 2_000, "classifier": 10_000}


def backbone_of(kind: str, name: str) -> str:
    """Return the backbone's section for one kind of training; those of GANs have batch norm."""
    norm = ", norm: batch" if kind == "gan" else ""
    return f"{{name: {name}, {BACKBONES[name]}{norm}}}"


def train(kind: str, name: str, out: Path) -> dict[str, Any]:
    """Train and evaluate; return the figures, or the error."""
    run = f"{kind}_{name}"
    words = TRAININGS[kind].format(backbone=backbone_of(kind, name), optimizers=OPTIMIZERS)
    command = f"train {words} name={run} {COMMON}"
    measure = f"evaluate {run} --json"
    if kind in IMAGES:
        measure += f" --images {IMAGES[kind]}"
    began, used = time.perf_counter(), getrusage(RUSAGE_CHILDREN).ru_utime
    row = {"kind": kind, "backbone": name, "command": f"sandbox {command}"}
    done = _sandbox(command, out)
    if done.returncode:
        return row | {"error": done.stderr.strip().splitlines()[-1]}
    row |= {"seconds": time.perf_counter() - began, "processor": getrusage(RUSAGE_CHILDREN).ru_utime - used}
    found = json.loads(_sandbox(measure, out).stdout)
    keep = ("return_mean", "log_likelihood", "elbo", "fcd", "fcd_floor", "error", "error_ci95")
    return row | {key: found[key] for key in keep if key in found}


def _sandbox(command: str, out: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "sandbox", *shlex.split(command)]
    return subprocess.run(words, cwd=out, capture_output=True, text=True, check=False)


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", default=list(BACKBONES))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "backbones.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    known = {(row["kind"], row["backbone"]) for row in rows}
    for name in arguments.names:
        for kind in TRAININGS:
            if (kind, name) not in known:
                row = train(kind, name, arguments.out)
                rows.append(row)
                with file.open("a") as lines:
                    lines.write(json.dumps(row) + "\n")
                print(json.dumps(row), flush=True)
    print("| backbone | " + " | ".join(f"{kind} | s" for kind in TRAININGS) + " |")
    print("|---|" + "---|" * 2 * len(TRAININGS))
    table = {(row["backbone"], row["kind"]): row for row in rows}
    for name in arguments.names:
        cells = [cell for kind in TRAININGS for cell in _cells(table.get((name, kind), {}))]
        print(f"| `{name}` | {' | '.join(cells)} |")


def _cells(row: dict[str, Any]) -> tuple[str, str]:
    """Return the figure of a training, and its processor time."""
    seconds = f"{row['processor']:.0f}" if "processor" in row else "–"
    if "return_mean" in row:
        return f"{row['return_mean']:.2f}", seconds
    if "fcd" in row:
        return f"{row['fcd'] / row['fcd_floor']:.0f}", seconds
    if "error" in row and "seconds" in row:
        return f"{100 * row['error']:.2f} %", seconds
    if "log_likelihood" in row:
        return f"{row['log_likelihood']:.1f}", seconds
    return "–", seconds


if __name__ == "__main__":
    main()
