"""Environments: steps per second on one core, against Gymnasium's `SyncVectorEnv` of the same environment.

The last row is Catch with two wrappers, next to the bare environment (`theirs`): the ratio is the share of the speed
that the wrappers leave.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import gymnasium
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from sandbox.bench._measure import Row, player, rates
from sandbox.environments.batch import BatchEnvConfig
from sandbox.envs import id_of
from sandbox.envs._gymnasium import config_of
from sandbox.runs import registry

WRAPPERS = [{"flicker": {"p": 0.5}}, {"sticky_actions": {"p": 0.25}}]


def rows() -> Iterator[Row]:
    """Measure steps per second, in three rows for each environment."""
    for name in registry.names("envs"):
        if not issubclass(registry.config_class("envs", name), BatchEnvConfig):
            continue
        for num_envs, observe in ((4096, "features"), (256, "pixels")):
            env: Any = config_of(name, {"observe": observe}).make(num_envs)
            (ours,) = rates(player(env))
            yield Row(f"{name}, {num_envs} x {observe}", "steps/s", ours)
        make = partial(gymnasium.make, id_of(name), observe="features", disable_env_checker=True)
        sync: Any = SyncVectorEnv([make] * 64, autoreset_mode=AutoresetMode.DISABLED)
        batch: Any = config_of(name, {"observe": "features"}).make(64)
        ours, theirs = rates(player(batch), player(sync))
        yield Row(f"{name}, 64 x features, against SyncVectorEnv", "steps/s", ours, theirs)
    wrapped: Any = config_of("catch", {"observe": "features", "wrappers": WRAPPERS}).make(4096)
    bare: Any = config_of("catch", {"observe": "features"}).make(4096)
    ours, theirs = rates(player(wrapped), player(bare))
    yield Row("catch, 4096 x features, flicker and sticky actions, against none", "steps/s", ours, theirs)
