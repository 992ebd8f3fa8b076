"""The bracket of log p, computed from that of log Z."""

import pytest
import torch

from sandbox.generators._boltzmann.annealing import bracketed_estimate
from sandbox.ops.annealing import LogPartition


def test_the_bracket_by_hand() -> None:
    """log p = -F - log Z: a higher log Z is a lower log p."""
    up, down = LogPartition(100.0, 99.5, 100.4), LogPartition(100.7, 100.2, 101.0)
    found = bracketed_estimate("ais", torch.tensor([10.0, 20.0]), up, down)
    assert found.nats.tolist() == [-90.0, -80.0]
    assert found.low == pytest.approx(1.0)  # to -F - 101.0
    assert found.high == pytest.approx(0.5)  # to -F - 99.5


def test_a_bracket_has_no_negative_side() -> None:
    up, down = LogPartition(100.0, 99.5, 100.4), LogPartition(99.0, 98.0, 99.8)
    assert bracketed_estimate("ais", torch.zeros(1), up, down).low == 0.0
