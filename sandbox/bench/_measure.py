"""Measures rates of several programs in one process, in alternating rounds, and takes medians."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from sandbox.bench._clock import clock
from sandbox.training.loop import Run

ROUNDS = 5  # measurements of each side
SECONDS = 0.4  # length of a measurement
ACTIONS = 64  # different batches of random actions


class Row(NamedTuple):
    """One line of a benchmark.

    Attributes:
        what: What is measured.
        unit: Unit of the values.
        ours: Our value.
        theirs: Value of the other side; None if there is nothing to compare with.
        limit: Value that the matrix products alone would allow on this machine; None if it is not known.
    """

    what: str
    unit: str
    ours: float
    theirs: float | None = None
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """Our value divided by theirs."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def share(self) -> float | None:
        """Our value divided by the limit."""
        return self.ours / self.limit if self.limit else None


def rates(*sides: Callable[[], int]) -> Sequence[float]:
    """Return the median rate per second of each side; a call of a side does some work and returns its amount."""
    for side in sides:
        side()
    turns = [[_rate(side) for side in sides] for _ in range(ROUNDS)]
    return [median(turn[i] for turn in turns) for i in range(len(sides))]


def _rate(side: Callable[[], int]) -> float:
    start, done = clock.now(), 0
    while (spent := clock.now() - start) < SECONDS:
        done += side()
    return done / spent


def trainer(run: Run, chunk: int) -> Callable[[], int]:
    """Return a function that trains for at least `chunk` steps and returns their number; nothing is logged or saved."""
    steps = run.steps()

    def learn() -> int:
        before = run.stream.step
        while run.stream.step < before + chunk:
            next(steps)
        return run.stream.step - before

    return learn


def player(env: Any) -> Callable[[], int]:
    """Return a function that steps a `VectorEnv` or an `Environment` and returns the number of its copies.

    Actions are random and drawn beforehand. Resets of ended episodes count: they happen in the next step, or, if
    autoreset is disabled, by a masked reset.
    """
    space = batch_space(env.single_action_space, env.num_envs)
    space.seed(0)
    actions = [space.sample() for _ in range(ACTIONS)]
    env.reset(seed=0)
    masked_reset = not isinstance(env, VectorEnv) or env.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    now = 0

    def step() -> int:
        nonlocal now
        _, _, terminated, truncated, _ = env.step(actions[now % ACTIONS])
        now += 1
        if masked_reset and (ended := np.logical_or(terminated, truncated)).any():
            env.reset(options={"reset_mask": ended})
        return env.num_envs

    return step
