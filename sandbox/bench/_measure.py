"""How benches measure: both sides in one run, turn by turn, medians of the turns."""

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode

from sandbox.training.loop import Run

ROUNDS, SECONDS = 5, 0.4  # turns a side, and how long each lasts
TAPE = 64  # different batches of actions


class Row(NamedTuple):
    """One line of a bench; `theirs` is None where there is nothing to compare with."""

    what: str
    unit: str
    ours: float
    theirs: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times theirs we are."""
        return self.ours / self.theirs if self.theirs else None


def rates(*sides: Callable[[], int]) -> Sequence[float]:
    """What each side does a second, medians over the turns; a call of a side returns how much it did."""
    for side in sides:
        side()
    turns = [[_rate(side) for side in sides] for _ in range(ROUNDS)]
    return [median(turn[i] for turn in turns) for i in range(len(sides))]


def _rate(side: Callable[[], int]) -> float:
    start, done = perf_counter(), 0
    while (spent := perf_counter() - start) < SECONDS:
        done += side()
    return done / spent


def trainer(run: Run, chunk: int) -> Callable[[], int]:
    """Trains on for at least `chunk` agent steps a call, and says how many they were; nothing is logged or saved."""
    steps = run.steps()

    def learn() -> int:
        before = run.stream.step
        while run.stream.step < before + chunk:
            next(steps)
        return run.stream.step - before

    return learn


def player(env: Any) -> Callable[[], int]:
    """Plays a step of all environments a call, and says how many steps that is; `env` is a `VectorEnv`.

    Random actions, drawn beforehand. The resets of ended episodes are part of the work, each in its own way: with the
    next step, or where autoreset is disabled by a masked reset.
    """
    env.action_space.seed(0)
    tape = [env.action_space.sample() for _ in range(TAPE)]
    env.reset(seed=0)
    masked_reset = env.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    now = 0

    def step() -> int:
        nonlocal now
        _, _, terminated, truncated, _ = env.step(tape[now % TAPE])
        now += 1
        if masked_reset and (ended := np.logical_or(terminated, truncated)).any():
            env.reset(options={"reset_mask": ended})
        return env.num_envs

    return step
