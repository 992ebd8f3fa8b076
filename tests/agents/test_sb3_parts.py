"""Spaces and policies that are chosen for Stable-Baselines3, by hand."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor

from sandbox.agents._sb3.model import policy_for
from sandbox.agents._sb3.vec_env import EnvAdapter
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.spec import Spec


@pytest.mark.parametrize(
    ("shape", "is_bytes", "chosen"),
    [
        ((1, 36, 36), True, "Cnn"),
        ((1, 35, 36), True, "Mlp"),
        ((1, 36, 35), True, "Mlp"),
        ((1, 84, 84), False, "Mlp"),
        ((4,), False, "Mlp"),
        ((40, 40), True, "Mlp"),
        ((4,), True, "Mlp"),
    ],
)
def test_the_policy_fits_the_observations(shape: tuple[int, ...], is_bytes: bool, chosen: str) -> None:
    spec = Spec(shape, is_bytes, 3)
    assert policy_for(spec, "auto", recurrent=False) == f"{chosen}Policy"
    assert policy_for(spec, "auto", recurrent=True) == f"{chosen}LstmPolicy"
    assert policy_for(spec, "MlpPolicy", recurrent=False) == "MlpPolicy"
    if chosen == "Cnn":
        assert policy_for(spec, "CnnPolicy", recurrent=True) == "CnnLstmPolicy"
        return
    with pytest.raises(UserError) as error:
        policy_for(spec, "CnnPolicy", recurrent=False)
    assert str(error.value) == (
        f"agent.policy=CnnPolicy is for images of bytes, at least 36x36, and here are "
        f"{'bytes' if is_bytes else 'numbers'} of shape {shape}. Set agent.policy=auto."
    )


@pytest.mark.parametrize(
    ("shape", "is_bytes", "action_space", "size"),
    [
        # Both observations, an action (8 bytes in a Box of two), and 16 bytes for reward, end and the like.
        ((3, 5, 7), True, None, 2 * 105 + 16 + 4),
        ((6,), False, None, 2 * 6 * 4 + 16 + 4),
        ((6,), False, spaces.Box(-2, 3, (2,), np.float32), 2 * 6 * 4 + 16 + 8),
    ],
)
def test_spaces_and_the_size_of_a_transition(shape: Any, is_bytes: bool, action_space: Any, size: int) -> None:
    spec = Spec(shape, is_bytes, 0 if action_space else 4, action_space=action_space)
    adapter = EnvAdapter(spec, 3, None, Rng(0))
    assert adapter.transition_bytes == size
    bounds = (0, 255, np.uint8) if is_bytes else (-np.inf, np.inf, np.float32)
    assert adapter.observation_space == spaces.Box(bounds[0], bounds[1], shape, bounds[2])
    assert adapter.action_space == (action_space or spaces.Discrete(4))
    assert adapter.env_is_wrapped(Monitor) == [False] * 3
    assert adapter.get_attr("render_mode") == [None] * 3
