"""Demonstrations for a run that begins: are they the right ones, and into its replay with them."""

from pathlib import Path

import numpy as np

from sandbox.buffers.demonstrations import digest, fill, read_demos
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.envs import id_of
from sandbox.interfaces.environment import spec_of
from sandbox.runs.config import RunConfig
from sandbox.streams.experience import Experience
from sandbox.streams.stored_sequences import StoredSequencesConfig
from sandbox.training.loop import Run


def pinned_demos(config: RunConfig) -> RunConfig:
    """`config` with the hash of its demonstrations, so that it repeats the run or says that it cannot.

    Raises:
        UserError: if there is no such file, or another one than the config means.
    """
    if config.demos is None:
        return config
    if config.env is None:
        raise UserError("demos: a generator learns from its data, not from games that were played; leave it out")
    path = Path(config.demos)
    read_demos(path)
    found = digest(path)
    if config.demos_sha256 not in (None, found):
        raise UserError(
            f"demos: {path} is not the file that this config was made with (demos_sha256 differs); "
            "put that one back, or leave demos_sha256 out to learn from this one"
        )
    return config.model_copy(update={"demos": str(path.resolve()), "demos_sha256": found})


def demonstrate(run: Run, config: RunConfig) -> None:
    """Fill a new run's replay with its config's demonstrations, if it has any.

    Raises:
        UserError: if they are of another environment, or this agent cannot learn from them.
    """
    if config.demos is None or config.env is None:
        return
    demos, here = read_demos(Path(config.demos)), config.env.model_dump(mode="json")
    there = demos.played.get("env", {})
    if (there.get("name"), demos.played.get("id")) != (here["name"], id_of(here["name"])):
        raise UserError(
            f"demos: {config.demos} is of {demos.played.get('id')}, this run learns {id_of(here['name'])}; "
            f"record some with `sandbox play {here['name']} --record FILE`"
        )
    if differ := [f"{key}={here[key]}" for key in here if here[key] != there.get(key)]:
        was = ", ".join(f"{key} was {there.get(key)}" for key in here if here[key] != there.get(key))
        raise UserError(
            f"demos: {config.demos} was played with other options than this run's env: {was}. "
            f"Record some with `sandbox play {here['name']} {' '.join(differ)} --record FILE`"
        )
    spec = spec_of(config.env.make(1))
    seen, kind = demos.observations.shape[1:], np.uint8 if spec.is_bytes else np.float32
    if seen != spec.shape or demos.observations.dtype != kind or demos.actions.max() >= spec.num_actions:
        raise UserError(
            f"demos: {config.demos} has observations {list(seen)} {demos.observations.dtype} and actions up to "
            f"{demos.actions.max()}, this environment has {list(spec.shape)} {np.dtype(kind)} and "
            f"{spec.num_actions} actions; record it again"
        )
    if not isinstance(run.stream, Experience):
        raise UserError("demos: this agent has no replay to fill; take dqn, double_dqn, rainbow, iqn, drqn or darqn")
    if isinstance(config.learner.stream, StoredSequencesConfig):
        raise UserError("demos: this agent learns from what it remembered as it played, and you are not it: try drqn")
    replay = config.learner.model_dump()["stream"]["replay"]
    if len(demos) > replay["capacity"] // 2:
        raise UserError(
            f"demos: {len(demos):,} steps are more than half of the replay's {replay['capacity']:,}; "
            f"set agent.stream.replay.capacity={2 * len(demos)} or more"
        )
    note(f"{fill(run.stream.replay, demos, replay['num_envs']):,} demonstrated steps are in the replay")
