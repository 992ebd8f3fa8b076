"""Atari: steps per second, against ale-py's own `AtariVectorEnv`, on two processors.

Both skip 4 frames, take the maximum of the last two and resize it to 84x84 in gray; theirs neither clips nor stacks.
"""

from collections.abc import Iterator
from typing import Any

from sandbox.bench._measure import Row, player, rates
from sandbox.envs._gymnasium import config_of

GAME, WORKERS = "pong", 2


def rows() -> Iterator[Row]:
    """Measure steps per second with 8 and with 32 environments."""
    from ale_py.vector_env import AtariVectorEnv  # needed here only

    for num_envs in (8, 32):
        ours: Any = config_of("atari", {"game": GAME, "workers": WORKERS}).make(num_envs)
        theirs = AtariVectorEnv(
            GAME, num_envs, num_threads=WORKERS, stack_num=1, reward_clipping=False, use_fire_reset=False
        )
        speeds = rates(player(ours), player(theirs))
        yield Row(f"{GAME}, {num_envs} environments, {WORKERS} workers", "steps/s", *speeds)
        ours.close()
        theirs.close()
