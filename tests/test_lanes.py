"""Every lane's generator: known numbers, and lanes that share nothing."""

import numpy as np

from sandbox.lanes import Lanes

EVERY = np.ones(64, bool)


def test_neighbouring_seeds_share_no_number() -> None:
    lanes = Lanes(64)
    lanes.start(0, EVERY)
    assert len(np.unique(lanes.bits(EVERY, 256))) == 64 * 256


def test_names_share_no_number() -> None:
    drawn = []
    for name in ("", "flicker 1", "flicker 2"):
        lanes = Lanes(64, name)
        lanes.start(0, EVERY)
        drawn.append(lanes.bits(EVERY, 256))
    assert len(np.unique(drawn)) == 3 * 64 * 256


def test_a_lane_without_a_seed_goes_on() -> None:
    lanes = Lanes(2)
    both = np.ones(2, bool)
    lanes.start([1, 2], both)
    before = lanes.state.copy()
    lanes.start([7, None], both)
    assert lanes.state[0] != before[0]
    assert lanes.state[1] == before[1]
