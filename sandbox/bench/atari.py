"""Atari's steps a second beside ale-py's own `AtariVectorEnv`, on two processors.

Both skip 4 frames, take the maximum of the last two and shrink it to 84x84 grey; theirs neither clips nor stacks here.
Random actions, drawn beforehand; the resets of ended episodes are part of the work, each in its own way: theirs with
the next step, ours by a masked reset.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from envs._batch import config_of
from sandbox.bench._measure import Row, rates

GAME, WORKERS, TAPE = "pong", 2, 64  # TAPE: different batches of actions


def rows() -> Iterator[Row]:
    """Steps a second with 8 and with 32 environments."""
    from ale_py.vector_env import AtariVectorEnv  # late: it is needed here only

    for num_envs in (8, 32):
        ours: Any = config_of("atari", {"game": GAME, "workers": WORKERS}).make(num_envs)
        theirs = AtariVectorEnv(
            GAME, num_envs, num_threads=WORKERS, stack_num=1, reward_clipping=False, use_fire_reset=False
        )
        speeds = rates(_player(ours, masked_reset=True), _player(theirs, masked_reset=False))
        yield Row(f"{GAME}, {num_envs} environments, {WORKERS} workers", "steps/s", *speeds)
        ours.close()
        theirs.close()


def _player(env: Any, *, masked_reset: bool) -> Callable[[], int]:
    """Plays a step of all environments a call, and says how many steps that is."""
    tape = np.random.default_rng(0).integers(0, env.single_action_space.n, (TAPE, env.num_envs))
    env.reset(seed=0)
    now = 0

    def step() -> int:
        nonlocal now
        _, _, terminated, truncated, _ = env.step(tape[now % TAPE])
        now += 1
        if masked_reset and (ended := terminated | truncated).any():
            env.reset(options={"reset_mask": ended})
        return env.num_envs

    return step
