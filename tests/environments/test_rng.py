"""The generators of `VectorRng`: known numbers, and independence of each other."""

import numpy as np
import pytest

from sandbox.environments import rng as module
from sandbox.environments.rng import VectorRng

EVERY = np.ones(64, bool)


def test_the_numbers_are_splitmix64s() -> None:
    """The published first four of the generator whose state is 1234567."""
    rng, first = VectorRng(1), np.array([0])
    rng.state[:] = 1234567
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert rng.bits(first, 4).tolist() == [expected]
    rng.state[:] = 1234567
    assert rng.random(first).tolist() == [(expected[0] >> 11) / 2**53]


def test_many_at_once_are_those_that_come_one_by_one_and_others_stay() -> None:
    at_once, one_by_one, some = VectorRng(3), VectorRng(3), np.array([2, 0])
    for rng in (at_once, one_by_one):
        rng.start(5, np.ones(3, bool))
    before = at_once.state.copy()
    assert np.array_equal(at_once.randoms(some, 4), np.stack([one_by_one.random(some) for _ in range(4)], 1))
    assert np.array_equal(at_once.state, one_by_one.state)
    assert (at_once.state == before).tolist() == [False, True, False]


def test_consecutive_seeds_share_no_number() -> None:
    rng = VectorRng(64)
    rng.start(0, EVERY)
    assert len(np.unique(rng.bits(EVERY, 256))) == 64 * 256


def test_names_share_no_number() -> None:
    drawn = []
    for name in ("", "flicker 1", "flicker 2"):
        rng = VectorRng(64, name)
        rng.start(0, EVERY)
        drawn.append(rng.bits(EVERY, 256))
    assert len(np.unique(drawn)) == 3 * 64 * 256


def test_a_generator_without_a_seed_continues() -> None:
    rng = VectorRng(2)
    both = np.ones(2, bool)
    rng.start([1, 2], both)
    before = rng.state.copy()
    assert rng.start([7, None], both).tolist() == [True, False]
    assert rng.state[0] != before[0]
    assert rng.state[1] == before[1]
    assert not rng.start(None, both).any()


@pytest.mark.parametrize("p", [0.0, 2.0**-53, 0.1, 0.25, 0.5, 1 / 3, 1 - 2.0**-53, 1.0])
def test_a_chance_is_a_comparison_of_the_same_number(p: float) -> None:
    """Also for bits on the bound itself and next to it."""
    ours, plain = VectorRng(64), VectorRng(64)
    for rng in (ours, plain):
        rng.start(3, EVERY)
    for env_ids in (EVERY, np.array([5, 2]), module.EVERY):
        assert np.array_equal(ours.chance(env_ids, p), plain.random(env_ids) < p)
    assert np.array_equal(ours.state, plain.state)
    bound = min(int(p * 2**53), 2**53 - 1)
    edges = np.array(
        [max(0, bound - 1) << 11, bound << 11, (bound << 11) + 2047, min(bound + 1, 2**53 - 1) << 11], np.uint64
    )
    ours._draw = lambda env_ids: edges  # type: ignore[method-assign]
    assert np.array_equal(ours.chance(module.EVERY, p), (edges >> np.uint64(11)) * 2.0**-53 < p)


def test_draws_for_every_environment_are_those_of_all_indices() -> None:
    ours, plain = VectorRng(64), VectorRng(64)
    for rng in (ours, plain):
        rng.start(3, EVERY)
    for _ in range(3):
        assert np.array_equal(ours.random(module.EVERY), plain.random(np.arange(64)))
        assert np.array_equal(ours.bits(module.EVERY, 2), plain.bits(np.arange(64), 2))
    assert np.array_equal(ours.state, plain.state)
