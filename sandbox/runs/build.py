"""Builds a run from its config, and restores its learner for evaluation and for viewers.

`sandbox.runs.trainer` loads the whole run when a training is resumed.
"""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.processes import ALONE, Processes
from sandbox.core.progress import progress
from sandbox.core.rng import Rng
from sandbox.environments.interaction import Interaction
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Learner, model_parts
from sandbox.interfaces.runs import NO_RUNS
from sandbox.runs import registry
from sandbox.runs.agent_run import BuiltAgentRun
from sandbox.runs.config import AgentRun, GeneratorRun, RunConfig
from sandbox.runs.data_facts import DataFacts
from sandbox.runs.generator_run import BuiltGeneratorRun
from sandbox.runs.resolve import config_of, member
from sandbox.runs.sharing import require_separate_rows
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.reference import LATEST, Reference, parse_reference
from sandbox.storage.run_folder import RunFolder
from sandbox.streams.actor import Actor
from sandbox.training.batch_norm import freeze_batch_norms
from sandbox.training.warm_start import load_decoder, load_encoder

BuiltRun = BuiltAgentRun | BuiltGeneratorRun
_COLLECTORS = 16  # environments that step together when frames are collected


def use_threads(config: RunConfig) -> None:
    """Set the number of CPU threads that the config asks for; sums depend on it in their last bits."""
    if config.threads:
        torch.set_num_threads(config.threads)


def build(config: RunConfig, runs: Path, processes: Processes = ALONE) -> BuiltRun:
    """Build everything but the stream.

    Args:
        config: Config of the run.
        runs: Folder of other runs that a member may ask for.
        processes: Processes that train it together.

    Raises:
        UserError: If it does not fit its source, or cannot be trained by several processes.
    """
    progress.now("building the agent" if isinstance(config, AgentRun) else "building the generator")
    match config:
        case AgentRun():
            built: BuiltRun = BuiltAgentRun.build(config, RunsIn(runs), processes)
        case GeneratorRun():
            built = BuiltGeneratorRun.build(config, RunsIn(runs), processes=processes)
        case _:
            raise TypeError(f"{type(config).__name__} is no kind of run")
    require_separate_rows(built.learner, config, built.compute)
    return built


def build_new(config: RunConfig, runs: Path, processes: Processes = ALONE) -> BuiltRun:
    """Build a run that starts from scratch, or with the encoder of another run (`encoder_from`).

    Raises:
        UserError: If one of them has no encoder, or the encoders differ.
    """
    if config.encoder_from is not None:
        _require_encoders(config, config.encoder_from, runs)
    built = build(config, runs, processes)
    if config.encoder_from is not None:
        source = RunsIn(runs).learner(config.encoder_from)
        load_encoder(built.learner, source, config.encoder_from)
        load_decoder(built.learner, source, config.encoder_from)
    return built


def _require_encoders(config: RunConfig, source: str, runs: Path) -> None:
    """Raise UserError for a member without an encoder, on either side, before anything is built."""
    giver = config_of(RunFolder.find(runs, source)).learner
    for learner, whose, task in ((giver, "that run", "to copy"), (config.learner, "this run", "to initialize")):
        if isinstance(learner, GeneratorConfig) and learner.no_encoder:
            raise UserError(
                f"encoder_from={source}: {whose} trains {learner.name}, which has no encoder {task}: "
                f"{learner.no_encoder}."
            )


def restore(folder: RunFolder, config: RunConfig | None = None) -> tuple[BuiltRun, int]:
    """Restore the learner of a run from its newest good checkpoint, for evaluation: batch norms are frozen.

    Args:
        folder: The run.
        config: A config that fits the learner; None is the run's own.

    Returns:
        The built run, and the step of the checkpoint.
    """
    own = config_of(folder)
    config = config or own
    if isinstance(config, GeneratorRun) and isinstance(own, GeneratorRun) and _same_data(config, own):
        built: BuiltRun = BuiltGeneratorRun.build(config, RunsIn(folder.path.parent), DataFacts.read(folder))
    else:
        built = build(config, folder.path.parent)
    return built, _load(folder, built.learner)


def restore_agent(folder: RunFolder, option: str = "") -> tuple[BuiltAgentRun, int]:
    """Restore the agent of a run as `restore` does.

    Args:
        folder: The run.
        option: Option that named the run, such as `--vs`; for the message.

    Raises:
        UserError: If the run trains a generator.
    """
    name = f"{option}: {folder.name}" if option else folder.name
    config = config_of(folder).require_agent(name)
    progress.now("building the agent")
    built = BuiltAgentRun.build(config, RunsIn(folder.path.parent))
    return built, _load(folder, built.learner)


def restore_generator(folder: RunFolder, task: str, seed: int | None = None) -> tuple[BuiltGeneratorRun, int]:
    """Restore the generator of a run as `restore` does; its data are loaded only when they are asked for.

    Args:
        folder: The run.
        task: Verb phrase for what is asked of the generator, such as `draw samples`; for the message.
        seed: Seed of its random streams; None takes the run's own.

    Raises:
        UserError: If the run trains an agent.
    """
    config = config_of(folder).require_generator(folder.name, task)
    progress.now("building the generator")
    streams = config if seed is None else config.model_copy(update={"seed": seed})
    built = BuiltGeneratorRun.build(streams, RunsIn(folder.path.parent), DataFacts.read(folder))
    return built, _load(folder, built.learner)


class RunsIn:
    """The runs of one folder, for members that start from one; see `sandbox.interfaces.runs.OtherRuns`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def learner(self, run: str) -> Learner:
        """Restore the learner of `run` from its newest checkpoint."""
        built, _ = restore(RunFolder.find(self._folder, run))
        return built.learner

    def frames(self, env: dict[str, Any], agent: str, count: int, rng: Rng, stack: int = 1) -> np.ndarray:
        """Let an agent act in 16 environments until there are `count` observations [count, stack * C, H, W] uint8."""
        actor = actor_for(self._folder, env, agent, _COLLECTORS, rng.separate())
        step = actor.step()
        _, *shape = step.observations.shape
        images = np.zeros(
            (math.ceil(count / _COLLECTORS), _COLLECTORS, stack, *shape), step.observations.dtype
        )  # zeros cost no memory until they are written
        images[0, :, -1] = step.observations
        for before, place in pairwise(images):
            goes_on = ~step.ended
            place[goes_on, :-1] = before[goes_on, 1:]
            step = actor.step()
            place[:, -1] = step.observations
        joined = [stack * shape[0], *shape[1:]] if shape else []  # scalars are refused by the data set
        return images.reshape(-1, *joined)[:count]

    def numbers(self, env: dict[str, Any], agent: str, count: int, rng: Rng) -> np.ndarray:
        """Return the environment's features at the observations that `frames` returns, [count, D] float32.

        The agent acts as in `frames`, with the same random numbers. A copy of the environments that observes features
        gets the same actions.
        """
        if env.get("wrappers"):
            raise UserError("data.numbers=true reads numbers off the environment itself: leave out data.env.wrappers")
        own = rng.separate()
        actor = actor_for(self._folder, env, agent, _COLLECTORS, own)
        twin = Interaction(member("envs", {**env, "observe": "features"}, "data.env").make(_COLLECTORS))
        twin.start(own.integer("env") % 2**31)
        rows = []
        for _ in range(math.ceil(count / _COLLECTORS)):
            rows.append(twin.observations)
            twin.step(actor.step().actions)
            twin.next_episodes()
        return np.concatenate(rows)[:count].astype(np.float32)


def actor_for(runs: Path, env: dict[str, Any], agent: str, num_envs: int, rng: Rng) -> Actor:
    """Return an agent that acts in copies of an environment.

    Args:
        runs: Folder of the runs.
        env: Options of the environment.
        agent: Name of an agent, or of a run in `runs` whose agent acts.
        num_envs: Number of copies.
        rng: Random streams of the environment and the agent; the agent takes them for itself.

    Raises:
        UserError: If there is no such agent or run, or the run trains a generator.
    """
    copies = member("envs", env, "data.env", ("data", "env")).make(num_envs)
    if agent in registry.names("agents"):
        config = member("agents", {"name": agent}, "data.agent")
        learner: Agent = config.make(spec_of(copies), rng, choose("cpu"), NO_RUNS)
        return Actor(copies, learner, rng)
    folder = RunFolder.find(runs, agent)
    if parse_reference(runs, agent).run == LATEST:  # later it would be another run, perhaps the one that is being built
        lasting = Reference(folder.name, folder.at)
        raise UserError(f"data.agent={agent} would mean another run later; name the run: data.agent={lasting}")
    built, _ = restore_agent(folder, "data.agent")
    return Actor(copies, built.learner, rng)


def _same_data(one: GeneratorRun, other: GeneratorRun) -> bool:
    """Return whether two configs mean the same data, which may be in different places."""
    return one.data.model_dump(exclude={"root"}) == other.data.model_dump(exclude={"root"})


def _load(folder: RunFolder, learner: Learner) -> int:
    """Load the checkpoint that `folder` names into a learner, freeze its batch norms, and return the step."""
    with progress.phase("loading the checkpoint"):
        step = _store_of(folder).load(model_parts(learner), folder.at)
    freeze_batch_norms(learner)
    return step


def _store_of(folder: RunFolder) -> Checkpoints:
    """Return where the checkpoint is that a run folder means.

    Raises:
        UserError: If the run has none of that step.
    """
    checkpoints, snapshots = Checkpoints(folder.checkpoints), Checkpoints(folder.snapshots)
    if folder.at is None or folder.at in checkpoints.steps():
        return checkpoints
    if folder.at in snapshots.steps():
        return snapshots
    known = ", ".join(map(str, sorted({*checkpoints.steps(), *snapshots.steps()})))
    raise UserError(f"{folder.name} has no checkpoint of step {folder.at}. It has: {known or 'none'}.")
