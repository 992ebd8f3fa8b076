"""The environments: steps a second on one core, and against Gymnasium's SyncVectorEnv of the same environment.

Random actions, drawn beforehand; the resets of ended episodes are part of the work.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from envs import id_of
from envs._batch import config_of, is_program
from sandbox import catalog
from sandbox.bench._measure import Row, rates

TAPE = 64  # different batches of actions


def rows() -> Iterator[Row]:
    """Steps a second, three rows an environment."""
    for name in filter(is_program, catalog.names("envs")):
        for num_envs, observe in ((4096, "features"), (256, "pixels")):
            env: Any = config_of(name, {"observe": observe}).make(num_envs)
            (ours,) = rates(player(env))
            yield Row(f"{name}, {num_envs} x {observe}", "steps/s", ours)
        make = partial(gymnasium.make, id_of(name), observe="features", disable_env_checker=True)
        sync: Any = SyncVectorEnv([make] * 64, autoreset_mode=AutoresetMode.DISABLED)
        batch: Any = config_of(name, {"observe": "features"}).make(64)
        ours, theirs = rates(player(batch), player(sync))
        yield Row(f"{name}, 64 x features, against SyncVectorEnv", "steps/s", ours, theirs)


def player(env: VectorEnv) -> Callable[[], int]:
    """Plays one step of all environments a call, and says how many steps that is."""
    env.action_space.seed(0)
    tape = [env.action_space.sample() for _ in range(TAPE)]
    env.reset(seed=0)
    now = 0

    def step() -> int:
        nonlocal now
        _, _, terminated, truncated, _ = env.step(tape[now % TAPE])
        now += 1
        if (ended := np.logical_or(terminated, truncated)).any():
            env.reset(options={"reset_mask": ended})
        return env.num_envs

    return step
