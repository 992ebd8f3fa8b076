import numpy as np
import pytest
from gymnasium import spaces

from sandbox.core.errors import UserError
from sandbox.environments.wrappers.sticky_actions import StickyActionsConfig


def test_always_sticky_repeats_the_first_action_of_each_game(tape) -> None:
    below = tape(1, {3: "terminated"})
    env = StickyActionsConfig(p=1).wrap(below)
    for first, seed in ((2, 0), (3, None)):
        env.reset(seed=seed)
        for action in (first, 0, 1):
            env.step(np.array([action]))
    assert below.actions == [[2], [2], [2], [3], [3], [3]]


def test_never_sticky_passes_everything(tape) -> None:
    below = tape(2)
    env = StickyActionsConfig(p=0).wrap(below)
    env.reset(seed=0)
    for t in range(6):
        env.step(np.array([t % 4, (t + 1) % 4]))
    assert below.actions == [[t % 4, (t + 1) % 4] for t in range(6)]


def test_a_quarter_of_the_steps_repeat_what_was_done_last(tape) -> None:
    """The agent chooses a different action at every step, so every repetition is visible, also of a repetition."""
    below = tape(2_000)
    env = StickyActionsConfig(p=0.25).wrap(below)
    env.reset(seed=0)
    for t in range(5):
        env.step(np.full(2_000, t % 4))
    done = np.array(below.actions)  # [T, N]
    assert (done[0] == 0).all()
    repeated = done[1:4] == done[:3]
    assert abs(repeated.mean() - 0.25) < 4 * (0.25 * 0.75 / repeated.size) ** 0.5
    chains = (done[1:4] == 0).all(0).mean()
    assert abs(chains - 0.25**3) < 4 * (0.25**3 / 2_000) ** 0.5


def test_a_masked_reset_forgets_for_its_own_copies_only(tape) -> None:
    below = tape(2)
    env = StickyActionsConfig(p=1).wrap(below)
    env.reset(seed=0)
    env.step(np.array([1, 1]))
    env.reset(options={"reset_mask": np.array([True, False])})
    env.step(np.array([3, 3]))
    assert below.actions == [[1, 1], [3, 1]]


def test_a_lost_life_is_not_forgotten_but_a_seed_starts_a_new_game(tape) -> None:
    below = tape(1, {1: "life", 2: "life"})
    env = StickyActionsConfig(p=1).wrap(below)
    env.reset(seed=0)
    env.step(np.array([1]))
    env.reset()
    env.step(np.array([2]))
    env.reset(seed=[3])
    env.step(np.array([3]))
    assert below.actions == [[1], [1], [3]]


def test_what_the_agent_gave_is_not_written_to(tape) -> None:
    env = StickyActionsConfig(p=1).wrap(tape(1))
    env.reset(seed=0)
    actions = np.array([1])
    env.step(actions)
    actions[0] = 2
    env.step(actions)
    assert actions.tolist() == [2]


def test_several_players_repeat_together(tape) -> None:
    below = tape(300)
    below.single_action_space = spaces.MultiDiscrete([3, 3])
    below.step = lambda actions: (below.actions.append(actions.tolist()), *[np.zeros(300, bool)] * 3, {})
    below.observe = lambda: np.zeros((300, 1), np.float32)
    env = StickyActionsConfig(p=0.5).wrap(below)
    env.reset(seed=0)
    env.step(np.zeros((300, 2), int))
    env.step(np.array([[1, 2]] * 300))
    repeated = np.array(below.actions[1])
    assert {tuple(pair) for pair in repeated.tolist()} == {(0, 0), (1, 2)}
    words = tape(1)
    words.single_action_space = spaces.Text(3)
    with pytest.raises(UserError, match="needs numeric actions, but this environment has Text"):
        StickyActionsConfig().wrap(words)
