import numpy as np
import pytest
from gymnasium import spaces

from sandbox.core.errors import UserError
from sandbox.environments.wrappers.previous_action_reward import PreviousActionRewardConfig
from sandbox.environments.wrappers.sticky_actions import StickyActionsConfig


def test_an_episode_by_hand(tape) -> None:
    """Four actions; the tape's reward is the action. The last observation of an episode has both as well."""
    env = PreviousActionRewardConfig().wrap(tape(2, {2: "terminated"}))
    assert env.reset(seed=0)[0].tolist() == [[1, 0, 0, 0, 0, 0], [11, 0, 0, 0, 0, 0]]
    assert env.step(np.array([3, 0]))[0].tolist() == [[2, 0, 0, 0, 1, 3], [12, 1, 0, 0, 0, 0]]
    assert env.step(np.array([2, 1]))[0].tolist() == [[3, 0, 0, 1, 0, 2], [13, 0, 1, 0, 0, 1]]
    shown = env.reset(options={"reset_mask": np.array([True, True])})[0]
    assert shown.tolist() == [[1, 0, 0, 0, 0, 0], [11, 0, 0, 0, 0, 0]]


def test_a_masked_reset_forgets_for_its_own_copies_only(tape) -> None:
    env = PreviousActionRewardConfig().wrap(tape(2))
    env.reset(seed=0)
    env.step(np.array([3, 2]))
    shown = env.reset(options={"reset_mask": np.array([True, False])})[0]
    assert shown.tolist() == [[1, 0, 0, 0, 0, 0], [12, 0, 0, 1, 0, 2]]


def test_a_lost_life_starts_an_episode(tape) -> None:
    env = PreviousActionRewardConfig().wrap(tape(1, {1: "life"}))
    env.reset(seed=0)
    env.step(np.array([3]))
    assert env.reset(options={"reset_mask": np.array([True])})[0].tolist() == [[2, 0, 0, 0, 0, 0]]


def test_actions_that_do_not_start_at_zero(tape) -> None:
    odd = tape(1)
    odd.single_action_space = spaces.Discrete(3, start=-1)
    env = PreviousActionRewardConfig().wrap(odd)
    env.reset(seed=0)
    assert env.step(np.array([-1]))[0].tolist() == [[2, 1, 0, 0, -1]]
    assert env.step(np.array([1]))[0].tolist() == [[3, 0, 0, 1, 1]]


def test_it_shows_what_the_agent_chose_not_what_became_of_it(tape) -> None:
    env = PreviousActionRewardConfig().wrap(StickyActionsConfig(p=1).wrap(tape(1)))
    env.reset(seed=0)
    env.step(np.array([3]))
    assert env.step(np.array([1]))[0].tolist() == [[3, 0, 1, 0, 0, 3]]  # action 3 was repeated, and paid 3


def test_the_declared_space(tape) -> None:
    space = PreviousActionRewardConfig().wrap(tape(1)).single_observation_space
    assert space.low.tolist() == [0, 0, 0, 0, 0, -np.inf]
    assert space.high.tolist() == [1_000, 1, 1, 1, 1, np.inf]
    assert space.dtype == np.float32


def test_what_does_not_fit_is_refused(tape) -> None:
    with pytest.raises(UserError, match=r"has uint8 of shape \[1, 84, 84\]; set env.observe=features"):
        PreviousActionRewardConfig().wrap(tape(1, space=spaces.Box(0, 255, (1, 84, 84), np.uint8)))
    with pytest.raises(UserError, match=r"has uint8 of shape \[128\]"):
        PreviousActionRewardConfig().wrap(tape(1, space=spaces.Box(0, 255, (128,), np.uint8)))
    two = tape(1)
    two.single_action_space = spaces.MultiDiscrete([3, 3])
    with pytest.raises(UserError, match="needs Discrete actions, but this environment has MultiDiscrete"):
        PreviousActionRewardConfig().wrap(two)
