"""Options that all runs of a sweep share, decided by its first setting."""

import os

from sandbox.config.yaml_text import text_of
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.runs.config import RunConfig
from sandbox.runs.resolve import resolve
from sandbox.runs.sweeps.definition import Definition
from sandbox.runs.sweeps.schedule import Workers


def first_config(definition: Definition, typed: str) -> RunConfig:
    """Return the config with the first value of each parameter."""
    first = [f"{key}={text_of(parameter.ends()[0])}" for key, parameter in definition.parameters.items()]
    return resolve(definition.config, [*definition.options, *first], typed)


def names_in_wandb(definition: Definition, typed: str) -> list[str]:
    """Return options for the group and the type of the runs in W&B, unless the config or the options have them."""
    try:
        logger = first_config(definition, typed).logger
    except UserError:  # the plan lists the mistakes of all settings
        return []
    if logger.wandb == "off":
        return []
    wanted = {"group": (logger.group, definition.name), "job_type": (logger.job_type, "train")}
    return [f"logger.{key}={text_of(own)}" for key, (given, own) in wanted.items() if given is None]


def shared_threads(definition: Definition, workers: Workers, typed: str) -> int | None:
    """Return the CPU threads of each run if several are trained at a time, and the options leave them open."""
    given = [word for word in definition.options if word.startswith("threads=")]
    if (workers.jobs == 1 and workers.engine == "local") or given or "threads" in definition.parameters:
        return None
    if first_config(definition, typed).threads:
        return None
    if workers.engine != "local":
        note("each run has 1 CPU of the cluster; threads=N chooses another number")
        return 1
    threads = max(1, (os.cpu_count() or 1) // workers.jobs)
    note(f"each run has {threads} of {os.cpu_count()} CPU threads; threads=N chooses another number")
    return threads
