"""Puts a run together from its config: source, learner, stream, and back again from a run folder."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sandbox.core.compute import Compute, choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.environment import EnvFactory, spec_of
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.runs import NO_RUNS
from sandbox.runs import registry
from sandbox.runs.config import RunConfig
from sandbox.runs.resolve import member, resolve
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.run_folder import RunFolder
from sandbox.streams.actor import Actor
from sandbox.training.batch_norm import freeze_batch_norms
from sandbox.training.loop import Run
from sandbox.training.warm_start import load_encoder


@dataclass(frozen=True)
class BuiltRun:
    """A learner with what it stands on; `source` makes environments, or is a data set."""

    config: RunConfig
    rng: Rng
    compute: Compute
    source: EnvFactory | DataSet
    learner: Any

    def run(self) -> Run:
        """The learner with its stream, ready to train."""
        stream = self.config.learner.stream.make(self.source, self.learner, self.rng, self.compute)
        return Run(self.learner, stream, self.rng)


def use_threads(config: RunConfig) -> None:
    """Compute with as many CPU threads as `config` says; sums come out the same only with the same number."""
    if config.threads:
        torch.set_num_threads(config.threads)


def build(config: RunConfig, runs: Path) -> BuiltRun:
    """Everything but the stream, as `config` says; `runs` is where data sets of frames look for their agent."""
    rng, compute = Rng(config.seed), choose(config.device, config.precision, config.overlap)
    others = RunsIn(runs)
    if config.env is not None:
        source: EnvFactory | DataSet = config.env.make
        spec = spec_of(config.env.make(1))
    else:
        assert config.data is not None
        source = config.data.make(rng, others)
        spec = source.spec
    learner = config.learner.make(spec, rng, compute, others)
    if config.env is not None:
        freeze_batch_norms(learner)
    return BuiltRun(config, rng, compute, source, learner)


def new_run(config: RunConfig, runs: Path) -> BuiltRun:
    """As `build`, for a new run: with `encoder_from`, another run's encoder is where this one starts."""
    parts = build(config, runs)
    if config.encoder_from is not None:
        load_encoder(parts.learner, RunsIn(runs).learner(config.encoder_from), config.encoder_from)
    return parts


def restore(folder: RunFolder, overrides: Sequence[str] = ()) -> tuple[BuiltRun, int]:
    """The learner of a run as its newest good checkpoint holds it, and that checkpoint's step.

    It is to be looked at: batch norms keep to their statistics. `overrides` of its config must leave the learner as it
    is: they are for the environment and how it is played.
    """
    parts = build(resolve([str(folder.config)], overrides), folder.path.parent)
    step = Checkpoints(folder.checkpoints).load(learner_parts(parts.learner))
    freeze_batch_norms(parts.learner)
    return parts, step


def learner_parts(learner: Learner) -> dict[str, Stateful]:
    """A learner's parts, by their names in a checkpoint."""
    return {f"learner.{name}": part for name, part in learner.parts().items()}


class RunsIn:
    """The runs of one folder, for members that start from them; see `sandbox.interfaces.runs.OtherRuns`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def learner(self, run: str) -> Learner:
        """Restore the learner of `run` from its newest checkpoint."""
        built, _ = restore(RunFolder.find(self._folder, run))
        learner: Learner = built.learner
        return learner

    def frames(self, env: dict[str, Any], agent: str, count: int, rng: Rng) -> np.ndarray:
        """Let an agent act in 16 environments until there are `count` observations [count, C, H, W] uint8."""
        actor = actor_for(self._folder, env, agent, 16, rng)
        return np.concatenate([actor.step().observations for _ in range(math.ceil(count / 16))])[:count]


def actor_for(runs: Path, env: dict[str, Any], agent: str, num_envs: int, rng: Rng) -> Actor:
    """An agent, given by its name or its run in `runs`, at play in copies of the environment that `env` describes."""
    world = member("envs", env, "data.env").make(num_envs)
    if agent in registry.names("agents"):
        learner = member("agents", {"name": agent}, "data.agent").make(spec_of(world), rng, choose("cpu"), NO_RUNS)
    else:
        folder = RunFolder.find(runs, agent)
        if agent == "latest":  # tomorrow it would be another run, perhaps the one that asks
            raise UserError(f"data.agent=latest does not last; name the run: data.agent={folder.name}")
        assembly, _ = restore(folder)
        if assembly.config.agent is None:
            raise UserError(f"data.agent={agent} is a generator and cannot play; give an agent's name or run")
        learner = assembly.learner
    return Actor(world, learner, rng)
