"""Make the images of the pages about members: frames, learning curves, samples, training images.

    python benchmarks/member_images.py docs/images [--runs runs] [NAME ...]

Each agent and each generator is trained once with the command in `AGENTS` or `GENERATORS`, seed 0; a run that is there
already is used again. Without names, all members are drawn, which takes one to two hours on one core.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import gymnasium
import torch
from PIL import Image

import sandbox
import sandbox.envs
from sandbox.core.rng import Rng
from sandbox.media.curve import canvas, save
from sandbox.media.image import image_of_samples
from sandbox.report.run_record import RunRecord
from sandbox.runs import registry
from sandbox.runs.build import RunsIn
from sandbox.storage.run_folder import RunFolder

AGENTS = {
    "random": "catch_random",
    "q_learning": "grid_world_q_learning",
    "sarsa": "grid_world_sarsa",
    "dqn": "catch_dqn",
    "double_dqn": "catch_double_dqn",
    "rainbow": "catch_rainbow",
    "iqn": "catch_iqn",
    "pqn": "cart_pole_v1_pqn",
    "drqn": "memory_chain_drqn",
    "r2d2": "memory_chain_r2d2",
    "sb3": "catch_sb3",
    "darqn": "blind_catch_drqn env.blind=false steps=32_000 'agent={name: darqn, target_period: 50, "
    "backbone: {name: nature, channels: [16, 32, 32], hidden: null}, attention: {size: 64}, recurrent: {size: 64}, "
    "exploration: {start: 1.0, end: 0.02, steps: 10_000}, optimizer: {lr: 5e-4, clip_norm: 10.0}, "
    "stream: {batch_size: 32, length: 9, replay: {num_envs: 8, capacity: 20_000, warmup: 500, update_period: 16}}}'",
}
GENERATORS = {
    "autoencoder": "reconstruct digits_autoencoder",
    "denoising_autoencoder": "reconstruct digits_denoising_autoencoder",
    "sparse_autoencoder": "reconstruct digits_sparse_autoencoder",
    "contractive_autoencoder": "reconstruct digits_contractive_autoencoder",
    "stacked_autoencoder": "reconstruct digits_stacked_autoencoder",
    "vae": "sample digits_vae",
    "vq_vae": "reconstruct digits_vq_vae",
    "hopfield": "recall digits_hopfield",
    "modern_hopfield": "recall digits_modern_hopfield",
    "boltzmann_machine": "sample bars_and_stripes_boltzmann_machine",
    "rbm": "sample digits_rbm",
    "conv_rbm": "sample digits_conv_rbm",
    "dbm": "sample digits_dbm",
    "dbn": "sample digits_dbn",
    "conv_dbn": "sample mnist_conv_dbn",
    "sigmoid_belief_net": "sample digits_sigmoid_belief_net",
    "gan": "sample digits_gan",
    "cgan": "sample digits_cgan",
    "infogan": "sample digits_infogan",
    "context_encoder": "translate digits_context_encoder",
    "pix2pix": "translate edges_pix2pix",
    "cyclegan": "translate colors_cyclegan",
    "wgan": "sample digits_gan 'generator={name: wgan}'",
    "dcgan": "sample mnist_dcgan",
    "lapgan": "sample mnist_lapgan",
    "stackgan": "sample mnist_stackgan",
    "sngan": "sample mnist_sngan",
    "lsgan": "sample mnist_lsgan",
    "wgan_gp": "sample digits_gan 'generator={name: wgan_gp}'",
}
CLASSES = {"cgan", "infogan", "stackgan"}  # which are sampled class by class
DATA_SETS = ("bars_and_stripes", "colors", "digits", "edges", "frames", "gaussian_grid", "gaussian_line",
             "gaussian_ring", "ising", "mnist", "stacked_mnist")  # fmt: skip
SHOWN_STEP = {"cart_pole": 12, "catch": 5, "pong": 60, "atari": 150, "key_door": 10}  # of random actions; 4 elsewhere
OPTIONS = {"atari": {"game": "pong"}, "key_door": {"view": "partial"}}


def program(*words: str) -> None:
    """Run a command of the sandbox; a command that fails ends this program."""
    subprocess.run([Path(sys.executable).with_name("sandbox"), *words], check=True, stdout=subprocess.DEVNULL)


def trained(words: list[str], runs: Path) -> str:
    """Return the name of a finished run of `sandbox train WORDS`, trained or resumed if need be."""
    name = "_".join([words[0], *("".join(filter(str.isalnum, word))[:30] for word in words[1:])])
    if not (runs / name).exists():
        program("train", *words, f"name={name}", f"--runs={runs}", "logger.wandb=off", "--quiet")
    elif not RunRecord.read_latest(RunFolder.find(runs, name)).finished:
        program("resume", name, f"--runs={runs}", "--quiet")
    return name


def draw_agent(name: str, runs: Path, out: Path) -> None:
    """Plot the return of a training: its episodes, and the evaluations during it."""
    words = shlex.split(AGENTS[name])
    metrics = sandbox.load(trained(words, runs), runs=runs).metrics
    figure, (axes,) = canvas()
    axes.plot(*metrics["env/return"], label="episodes of the training", color="C0")
    if "eval/return" in metrics:
        axes.plot(*metrics["eval/return"], "o", label="evaluation", color="C1")
    axes.set(xlabel="agent steps", ylabel="return", title=f"sandbox train {words[0]}{' ...' if words[1:] else ''}")
    axes.legend()
    save(out, figure)


def draw_generator(name: str, runs: Path, out: Path) -> None:
    """Write samples, reconstructions, translations or restored patterns."""
    command, *words = shlex.split(GENERATORS[name])
    options = ["--per-class"] if name in CLASSES else []
    if command != "sample":
        options += ["--count", "10"]
    if command == "recall":
        options += ["--damage", "0.1"]
    program(command, trained(words, runs), f"--runs={runs}", "--out", str(out), *options)


def draw_environment(name: str, out: Path) -> None:
    """Write a frame after some random actions."""
    title = "".join(part.capitalize() for part in name.split("_"))
    env = gymnasium.make(f"Sandbox/{title}-v0", render_mode="rgb_array", **OPTIONS.get(name, {}))
    env.reset(seed=1)
    env.action_space.seed(1)
    for _ in range(SHOWN_STEP.get(name, 4)):
        env.step(env.action_space.sample())
    Image.fromarray(env.render()).save(out)
    env.close()


def draw_data(name: str, out: Path) -> None:
    """Write a grid of training images, with their source images where there are some; or a plot of points."""
    model = registry.config_class("data", name)
    options = {"env": {"name": "pong"}} if name == "frames" else {}
    data = model.model_validate(options).make(Rng(0), RunsIn(Path("runs")))
    shown = torch.linspace(0, len(data.train) - 1, 64 if data.train.ndim > 2 else 2000).long()
    images = data.train[shown]
    if data.train.dtype == torch.uint8:
        images = images.float() / 255
    if data.train_sources is not None:
        images = torch.stack([data.train_sources[shown[:32]].float() / 255, images[:32]], 1).flatten(0, 1)
    Image.fromarray(image_of_samples(lambda _: images, tuple(images.shape[1:]))).save(out)


def main() -> None:
    """Draw the members that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    given = parser.parse_args()
    for family, draw in (
        ("envs", draw_environment),
        ("data", draw_data),
        ("agents", lambda name, out: draw_agent(name, given.runs, out)),
        ("generators", lambda name, out: draw_generator(name, given.runs, out)),
    ):
        (given.out / family).mkdir(parents=True, exist_ok=True)
        order = {"agents": AGENTS, "generators": GENERATORS, "data": DATA_SETS}.get(family, registry.names(family))
        for name in order:
            if (not given.names or name in given.names) and name != "gym":
                print(family, name, flush=True)
                draw(name, given.out / family / f"{name}.png")


if __name__ == "__main__":
    main()
