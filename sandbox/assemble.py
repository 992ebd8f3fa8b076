"""Puts a run together from its config: source, learner, stream, and back again from a run folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sandbox import catalog
from sandbox.checkpoint import Checkpoints
from sandbox.dataset import DataSet
from sandbox.device import Compute, choose
from sandbox.encoder import start_from
from sandbox.environment import Environment, spec_of
from sandbox.learner import LearnerConfig, zero_where
from sandbox.note import note
from sandbox.resolve import member, resolve
from sandbox.runconfig import RunConfig
from sandbox.runfolder import RunFolder
from sandbox.seeding import Rng


@dataclass(frozen=True)
class Parts:
    """A learner with what it stands on; `source` makes environments, or is a data set."""

    config: RunConfig
    rng: Rng
    compute: Compute
    source: Callable[[int], Environment] | DataSet
    learner: Any


def build(config: RunConfig, runs: Path) -> Parts:
    """Everything but the stream, as `config` says; `runs` is where data sets of frames look for their agent."""
    if config.threads:
        torch.set_num_threads(config.threads)
    rng, compute = Rng(config.seed), choose(config.device, config.precision)
    if config.env is not None:
        source: Callable[[int], Environment] | DataSet = config.env.make
        spec = spec_of(config.env.make(1))
    else:
        assert config.data is not None
        source = config.data.make(rng, lambda env, agent, count, rng: collect(env, agent, count, rng, runs))
        spec = source.spec
    learner = learner_config(config).make(spec, rng, compute)
    return Parts(config, rng, compute, source, learner)


def begin(config: RunConfig, runs: Path) -> Parts:
    """As `build`, for a new run: with `encoder_from`, another run's encoder is where this one starts."""
    parts = build(config, runs)
    if config.encoder_from is not None:
        giver, _ = restore(RunFolder.find(runs, config.encoder_from))
        start_from(parts.learner, giver.learner, config.encoder_from)
    return parts


def learner_config(config: RunConfig) -> LearnerConfig:
    """The agent's or the generator's section."""
    chosen = config.agent or config.generator
    assert chosen is not None
    return chosen


def restore(folder: RunFolder) -> tuple[Parts, int]:
    """The learner of a run as its newest good checkpoint holds it, and that checkpoint's step."""
    parts = build(resolve([str(folder.config)], []), folder.path.parent)
    step = Checkpoints(folder.checkpoints, note).load(
        {f"learner/{name}": part for name, part in parts.learner.parts().items()}
    )
    return parts, step


def collect(env: dict[str, Any], agent: str, count: int, rng: Rng, runs: Path) -> np.ndarray:
    """`count` frames [count, C, H, W] uint8 of an agent at play, given by its name or its run."""
    world = member("envs", env, "data.env").make(16)
    if agent in catalog.names("agents"):
        player = member("agents", {"name": agent}, "data.agent").make(spec_of(world), rng, choose("cpu"))
    else:
        player = restore(RunFolder.find(runs, agent))[0].learner
    frames: list[np.ndarray] = []
    observations, _ = world.reset(seed=rng.integer("frames") % 2**31)
    state = player.initial_state(world.num_envs)
    while len(frames) * world.num_envs < count:
        frames.append(observations)
        actions, state = player.act(observations, state, explore=True)
        observations, _, terminated, truncated, _ = world.step(actions)
        ended = terminated | truncated
        if ended.any():
            observations, _ = world.reset(options={"reset_mask": ended})
            state = zero_where(state, ended)
    return np.concatenate(frames)[:count]
