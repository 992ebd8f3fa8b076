"""Bounds on mutual information, by hand."""

import math

import pytest
import torch

from sandbox.ops.likelihood import categorical_information_bound, uniform_information_bound


def test_categories_by_hand() -> None:
    """A sure and right guess of one of four tells log 4; an even one tells nothing; half sure of it, log 4 - log 2."""
    four = torch.tensor([2])
    assert categorical_information_bound(torch.tensor([[0.0, 0.0, 100.0, 0.0]]), four).item() == pytest.approx(
        math.log(4)
    )
    assert categorical_information_bound(torch.zeros(1, 4), four).item() == pytest.approx(0.0, abs=1e-6)
    half = torch.tensor([[-100.0, 0.0, 0.0, -100.0]])
    assert categorical_information_bound(half, four).item() == pytest.approx(math.log(2))


def test_codes_by_hand() -> None:
    """log 2 nats each, minus 1/2 log 2 pi e s^2 where the square error is s^2 itself; two codes tell twice as much."""
    codes, mean = torch.tensor([[0.5, -0.5]]), torch.tensor([[0.4, -0.4]])
    expected = 2 * (math.log(2) - 0.5 * math.log(2 * math.pi * math.e * 0.01))
    found = uniform_information_bound(mean, torch.full((1, 2), math.log(0.01)), codes)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_the_bound_is_below_the_information() -> None:
    """An even code in [-1, 1], seen with noise N(0, 0.1^2): I = h(x) - h(x | c), below log 2 - h of the noise."""
    generator = torch.Generator().manual_seed(0)
    codes = 2 * torch.rand(50_000, 1, generator=generator) - 1
    seen = codes + 0.1 * torch.randn(50_000, 1, generator=generator)
    found = uniform_information_bound(seen, torch.full_like(seen, math.log(0.01)), codes)
    assert found.item() == pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi * math.e * 0.01), abs=0.02)
    assert uniform_information_bound(0 * seen, torch.full_like(seen, math.log(1 / 3)), codes).item() < 0.0
