import numpy as np
import pytest

from sandbox.environments.wrappers.time_limit import TimeLimitConfig
from sandbox.interfaces.environment import game_over


def run(env, steps: int) -> list[str]:
    """Return how each step of copy 0 ended (T terminated, t truncated, ! game over), with masked resets in between."""
    words = []
    env.reset(seed=0)
    for _ in range(steps):
        _, _, terminated, truncated, infos = env.step(np.zeros(env.num_envs, int))
        over = game_over(terminated, truncated, infos)
        words.append("T" * int(terminated[0]) + "t" * int(truncated[0]) + "!" * int(over[0]))
        if (ended := terminated | truncated).any():
            env.reset(options={"reset_mask": ended})
    return words


def test_every_game_is_truncated_at_its_last_step(tape) -> None:
    assert run(TimeLimitConfig(steps=3).wrap(tape(1)), 7) == ["", "", "t!", "", "", "t!", ""]
    assert run(TimeLimitConfig(steps=1).wrap(tape(1)), 2) == ["t!", "t!"]


def test_a_game_that_ends_by_itself_ends_by_itself(tape) -> None:
    assert run(TimeLimitConfig(steps=3).wrap(tape(1, {3: "terminated"})), 4) == ["", "", "T!", ""]
    assert run(TimeLimitConfig(steps=3).wrap(tape(1, {2: "terminated"})), 5) == ["", "T!", "", "T!", ""]
    assert run(TimeLimitConfig(steps=3).wrap(tape(1, {2: "truncated"})), 4) == ["", "t!", "", "t!"]


def test_steps_count_through_lost_lives(tape) -> None:
    assert run(TimeLimitConfig(steps=4).wrap(tape(1, {2: "life"})), 6) == ["", "T", "", "t!", "", "T"]


def test_a_life_lost_at_the_limit_puts_the_end_off_by_a_step(tape) -> None:
    assert run(TimeLimitConfig(steps=2).wrap(tape(1, {2: "life"})), 5) == ["", "T", "t!", "", "T"]


def test_a_seed_starts_a_new_game_even_after_a_lost_life(tape) -> None:
    env = TimeLimitConfig(steps=4).wrap(tape(2, {2: "life"}))
    env.reset(seed=0)
    env.step(np.array([0, 0])), env.step(np.array([0, 0]))
    env.reset(seed=[5, None])
    ends = []
    for _ in range(2):
        _, _, terminated, truncated, _ = env.step(np.array([0, 0]))
        ends.append((terminated | truncated).tolist())
    assert ends == [[False, False], [True, True]]  # copy 0 lost a life of its new game, copy 1 reached the limit
    assert truncated.tolist() == [False, True]


def test_a_reset_in_the_middle_starts_counting_again(tape) -> None:
    env = TimeLimitConfig(steps=3).wrap(tape(2))
    env.reset(seed=0)
    env.step(np.array([0, 0])), env.step(np.array([0, 0]))
    env.reset(options={"reset_mask": np.array([True, False])})
    assert env.step(np.array([0, 0]))[3].tolist() == [False, True]


def test_a_reset_after_the_one_that_went_on_starts_a_new_game(tape) -> None:
    env = TimeLimitConfig(steps=3).wrap(tape(1, {2: "life"}))
    env.reset(seed=0)
    env.step(np.array([0])), env.step(np.array([0]))
    env.reset(), env.reset()
    assert not env.step(np.array([0]))[3].any()


def test_a_step_past_the_limit_is_refused(tape) -> None:
    below = tape(2)
    env = TimeLimitConfig(steps=1).wrap(below)
    env.reset(seed=0)
    env.step(np.array([0, 0]))
    with pytest.raises(RuntimeError, match=r"environments \[0, 1\] have not been reset; call reset\(\), or reset"):
        env.step(np.array([0, 0]))
    assert len(below.actions) == 1
