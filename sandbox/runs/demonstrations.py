"""Fills the replay buffer of a new run with demonstrations, after checking that they fit."""

from contextlib import closing
from pathlib import Path

import numpy as np

from sandbox.buffers.demonstrations import Demos, digest, fill, read_demos
from sandbox.config.yaml_text import text_of
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.envs import id_of
from sandbox.interfaces.environment import spec_of
from sandbox.runs.config import AgentRun, RunConfig
from sandbox.streams.experience import Experience, ExperienceConfig, ReplayConfig
from sandbox.streams.prioritized import PrioritizedConfig
from sandbox.streams.sequences import SequencesConfig
from sandbox.streams.stored_sequences import StoredSequencesConfig
from sandbox.training.loop import Run


def with_demos_hash(config: RunConfig) -> RunConfig:
    """Return the config with the hash of its demonstrations, so that it can be repeated with the same file only.

    Raises:
        UserError: If the file is missing, or is not the one that the config was made with.
    """
    if not isinstance(config, AgentRun) or config.demos is None:
        return config
    path = Path(config.demos)
    read_demos(path)
    found = digest(path)
    if config.demos_sha256 not in (None, found):
        raise UserError(
            f"demos: {path} is not the file that this config was made with (demos_sha256 differs). Put that file back, "
            "or leave demos_sha256 out to use this one."
        )
    return config.model_copy(update={"demos": str(path.resolve()), "demos_sha256": found})


def fill_replay(run: Run, config: AgentRun) -> None:
    """Fill a new run's replay buffer with its demonstrations, if the config names any.

    Raises:
        UserError: If they were recorded in another environment, or this agent cannot learn from them.
    """
    if config.demos is None:
        return
    demos = read_demos(Path(config.demos))
    _require_same_environment(demos, config)
    _require_same_shapes(demos, config)
    replay = _replay_of(config)
    if not isinstance(run.stream, Experience) or replay is None:
        raise UserError(
            "demos: this agent has no replay buffer to fill. Use dqn, double_dqn, rainbow, iqn, drqn or darqn."
        )
    if len(demos) > replay.capacity // 2:
        raise UserError(
            f"demos: {len(demos):,} steps are more than half of the replay's capacity of {replay.capacity:,}. "
            f"Set agent.stream.replay.capacity={2 * len(demos)} or more."
        )
    count = fill(run.stream.replay, demos, replay.num_envs)
    note(f"the replay buffer starts with {count:,} demonstrated steps")


def _require_same_environment(demos: Demos, config: AgentRun) -> None:
    """Raise `UserError` unless the demonstrations were recorded in the config's environment, with the same options."""
    here = config.env.model_dump(mode="json")
    there = demos.played.get("env", {})
    name, recorded_in = here["name"], demos.played.get("id")
    if there.get("name") != name or recorded_in != id_of(name):
        raise UserError(
            f"demos: {config.demos} was recorded in {recorded_in}, but this run's environment is {id_of(name)}. Record "
            f"demonstrations with `sandbox play {name} --record FILE`."
        )
    differing = [key for key in here if here[key] != there.get(key)]
    if differing:
        was = ", ".join(f"{key} was {text_of(there.get(key))}" for key in differing)
        options = " ".join(f"{key}={text_of(here[key])}" for key in differing)
        raise UserError(
            f"demos: {config.demos} was recorded with other options than this run's env: {was}. "
            f"Record demonstrations with `sandbox play {name} {options} --record FILE`."
        )


def _require_same_shapes(demos: Demos, config: AgentRun) -> None:
    """Raise `UserError` unless observations and actions fit the environment as it is now."""
    with closing(config.env.make(1)) as env:
        spec = spec_of(env)
    shape = demos.observations.shape[1:]
    dtype = np.dtype(np.uint8 if spec.is_bytes else np.float32)
    if shape != spec.shape or demos.observations.dtype != dtype or demos.actions.max() >= spec.num_actions:
        raise UserError(
            f"demos: {config.demos} has observations {list(shape)} {demos.observations.dtype} and actions up to "
            f"{demos.actions.max()}, but this environment has {list(spec.shape)} {dtype} and "
            f"{spec.num_actions} actions. Record the demonstrations again."
        )


def _replay_of(config: AgentRun) -> ReplayConfig | None:
    """Return the options of the agent's replay buffer, or None if it has none.

    Raises:
        UserError: If the agent replays recurrent states, which demonstrations lack.
    """
    match config.agent.stream:
        case StoredSequencesConfig():
            raise UserError(
                f"demos: {config.agent.name} replays the recurrent states that it stored while acting, which "
                "demonstrations lack. Use drqn instead."
            )
        case ExperienceConfig(replay=replay) | PrioritizedConfig(replay=replay) | SequencesConfig(replay=replay):
            return replay
    return None
