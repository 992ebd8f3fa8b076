from itertools import groupby

import numpy as np

from sandbox.environments.wrappers.blackout import BlackoutConfig


def blanks(env, steps: int) -> np.ndarray:
    """Return whether each observation is blank, [N, steps + 1] bool."""
    shown = [env.reset(seed=0)[0]] + [env.step(np.zeros(env.num_envs, int))[0] for _ in range(steps)]
    return np.stack([observation[:, 0] == 0 for observation in shown], 1)


def test_a_blackout_takes_exactly_its_steps(tape) -> None:
    """Runs are 4 long, or where the next began at once 8, 12, ...; the last run may be cut by the end."""
    lengths = []
    for row in blanks(BlackoutConfig(p=0.05, steps=4).wrap(tape(100)), 200):
        runs = [(blank, len(list(run))) for blank, run in groupby(row.tolist())]
        lengths += [length for blank, length in runs[:-1] if blank]
    assert len(lengths) > 500
    assert all(length % 4 == 0 for length in lengths)
    assert lengths.count(4) > 0.9 * len(lengths)


def test_it_begins_as_often_as_asked_also_at_the_first_observation(tape) -> None:
    dark = blanks(BlackoutConfig(p=0.2, steps=3).wrap(tape(5_000)), 1)
    deviation = (0.2 * 0.8 / 5_000) ** 0.5
    assert abs(dark[:, 0].mean() - 0.2) < 4 * deviation
    assert dark[dark[:, 0], 1].all()
    assert abs(dark[~dark[:, 0], 1].mean() - 0.2) < 4 * deviation * 1.2


def test_never_and_always(tape) -> None:
    assert not blanks(BlackoutConfig(p=0, steps=3).wrap(tape(2)), 9).any()
    assert blanks(BlackoutConfig(p=1, steps=3).wrap(tape(2)), 9).all()


def test_it_ends_with_its_episode(tape) -> None:
    """A blackout at a first observation makes none more likely at the next first observation."""
    env = BlackoutConfig(p=0.5, steps=100).wrap(tape(2_000, {1: "terminated"}))
    before = env.reset(seed=0)[0][:, 0] == 0
    env.step(np.zeros(2_000, int))
    after = env.reset()[0][:, 0] == 0
    assert abs(after[before].mean() - 0.5) < 4 * (0.25 / 1_000) ** 0.5


def test_one_step_is_flicker(tape) -> None:
    """With steps = 1 every observation is blank with probability p."""
    dark = blanks(BlackoutConfig(p=0.3, steps=1).wrap(tape(1_000)), 9)
    assert abs(dark.mean() - 0.3) < 4 * (0.21 / 10_000) ** 0.5
