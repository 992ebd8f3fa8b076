"""Random actions: where they are drawn from, and the bounds of Box actions by hand."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from sandbox.agents.random import RandomConfig
from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec

INF = np.inf


def drawn(space: Any, count: int = 2_000) -> np.ndarray:
    agent = RandomConfig().make(Spec((1,), action_space=space), Rng(0), choose("cpu"), NO_RUNS)
    return agent.act(np.zeros((count, 1), np.float32), None, explore=True)[0]


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [(-3, 5, (-3, 5)), (-INF, INF, (-1, 1)), (2, INF, (2, 3)), (-INF, 2, (1, 2)), (-INF, -4, (-5, -4))],
)
def test_a_box_is_filled_and_an_infinite_side_is_one_away(low: float, high: float, found: tuple[float, float]) -> None:
    actions = drawn(spaces.Box(low, high, (2, 3), np.float32))
    assert (actions.shape, actions.dtype) == ((2_000, 2, 3), np.float32)
    width = found[1] - found[0]
    assert found[0] <= actions.min() < found[0] + 0.01 * width
    assert found[1] - 0.01 * width < actions.max() <= found[1]


def test_discrete_actions_are_all_drawn() -> None:
    assert np.bincount(drawn(spaces.Discrete(3))).min() > 500


def test_evaluation_does_not_disturb_exploration() -> None:
    rng = Rng(0)
    agent = RandomConfig().make(Spec((1,), action_space=spaces.Discrete(9)), rng, choose("cpu"), NO_RUNS)
    seen = {name: [] for name in ("explore", "evaluate")}
    for explore, name in ((True, "explore"), (False, "evaluate"), (True, "explore")):
        seen[name] += agent.act(np.zeros((50, 1)), None, explore=explore)[0].tolist()
    expected = {name: Rng(0).numpy(name).integers(9, size=100).tolist() for name in seen}
    assert seen["explore"] == expected["explore"]
    assert seen["evaluate"] == expected["evaluate"][:50]
