"""A schedule at its first, middle and last step."""

import pytest

from sandbox.schedules import Linear


@pytest.mark.parametrize(
    ("step", "value"), [(0, 1.0), (50, 1.0), (51, 0.991), (100, 0.55), (149, 0.109), (150, 0.1), (10_000, 0.1)]
)
def test_linear(step: int, value: float) -> None:
    assert Linear(start=1.0, end=0.1, steps=100, delay=50).at(step) == pytest.approx(value)
