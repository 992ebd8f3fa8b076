"""Words that make a documented command tiny: few steps, small batches, a handful of episodes, images and samples."""

from collections.abc import Iterator
from typing import Any

from sandbox.runs.config import AgentRun, RunConfig
from sandbox.runs.resolve import config_of
from sandbox.storage.run_folder import RunFolder

# The most that an option may be, by the end of its path; the first end that fits counts.
MOST = {
    "snapshots": 2,
    "stream.batch_size": 8,
    "stream.num_envs": 4,
    "agent.stream.length": 4,
    "agent.stream.burn_in": 2,
    "agent.stream.period": 2,
    "replay.num_envs": 2,
    "replay.capacity": 2_000,
    "replay.warmup": 64,
    "replay.update_period": 16,
    "env.length": 8,
    "env.max_steps": 20,
    "env.max_frames": 400,
    "n_steps": 16,  # of Stable-Baselines3
    "batch_size": 32,
    "buffer_size": 2_000,
    "learning_starts": 32,
    "data.count": 64,
    "data.test_count": 16,
    "pretraining_steps": 2,
    "up_down.steps": 2,
    "learning_steps": 2,
    "stage_one_steps": 2,
    "bound_samples": 2,
    "ais.num_chains": 4,
    "ais.num_temperatures": 20,
    "ais.burn_in": 2,
    "sample_steps": 4,  # Gibbs sweeps
    "down_steps": 2,
}
QUIET = ["logger.wandb=off", "threads=1", "evaluate_period=0", "checkpoint_period=0"]
AGENT = ["steps=96", "log_period=24", "media_period=0"]
GENERATOR = ["steps=8", "log_period=4", "media_period=4"]
MORE_STEPS = 16  # of a training that is resumed
SCORES = {True: ["--episodes", "2"], False: ["--images", "20"]}  # of an agent; of a generator


def training(config: RunConfig) -> list[str]:
    """Return overrides that make a training tiny, whatever it trains."""
    sizes = [(path, value, most_of(path)) for path, value in numbers(config.model_dump(mode="json"), "")]
    large = [f"{path}={most}" for path, value, most in sizes if most is not None and value > most]
    return [*QUIET, *(AGENT if isinstance(config, AgentRun) else GENERATOR), *large]


def most_of(path: str) -> int | None:
    """Return the most that an option may be, or None."""
    return next((most for end, most in MOST.items() if f".{path}".endswith(f".{end}")), None)


def numbers(tree: Any, path: str) -> Iterator[tuple[str, float]]:
    """Yield the numbers in a config, each with its path."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from numbers(value, f"{path}.{name}".lstrip("."))
    elif isinstance(tree, int | float) and not isinstance(tree, bool):
        yield path, tree


def resuming(folder: RunFolder) -> list[str]:
    """Return options that resume a run for a few steps."""
    return ["--steps", str(folder.step + MORE_STEPS)]


def evaluation(folder: RunFolder) -> list[str]:
    """Return options that evaluate a run, and those that are compared with it, in a moment."""
    return SCORES[isinstance(config_of(folder), AgentRun)]
