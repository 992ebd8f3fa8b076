"""Saved states of Atari: a restored game has the same future."""

import numpy as np
import pytest

from sandbox.core.errors import UserError
from sandbox.envs.atari import Atari
from sandbox.storage.tree import read_tree, write_tree

QUICK = ["pong", "breakout"]
SLOW = ["seaquest", "space_invaders", "ms_pacman", "montezuma_revenge", "pitfall", "qbert", "enduro", "tetris"]


@pytest.mark.parametrize("protocol", ["nature2015", "machado2018"])
@pytest.mark.parametrize("game", [*QUICK, *(pytest.param(game, marks=pytest.mark.learning) for game in SLOW)])
def test_a_restored_game_has_the_same_future(start, game: str, protocol: str) -> None:
    """States of 100 random steps are restored, in random order, into another environment that has played since."""
    env, other = start(2, seed=1, game=game, protocol=protocol), start(2, seed=2, game=game, protocol=protocol)
    random = np.random.default_rng(0)
    saved = set(random.choice(400, 100, replace=False).tolist())
    tape, states = [], {}
    for step in range(410):
        if step in saved:
            states[step] = (env.state_dict(), env.render_frame(1))
        actions = random.integers(0, env.single_action_space.n, 2)
        tape.append((actions, *advance(env, actions)))
    for step in random.permutation(sorted(saved)).tolist():
        state, image = states[step]
        other.load_state_dict(state)
        assert np.array_equal(other.render_frame(1), image)
        for actions, *expected in tape[step : step + 5]:
            for a, b in zip(expected, advance(other, actions), strict=True):
                assert np.array_equal(a, b)


def test_a_restored_state_brings_no_reset_switch_along_and_loses_none(start) -> None:
    """Q*bert reads the RESET switch; early and late states are restored into emulators at early and late frames."""
    fresh = start(game="qbert", protocol="machado2018")
    later = start(game="qbert", protocol="machado2018")
    for _ in range(30):
        later.step(np.array([3]))
    for env in (fresh, later):
        state, futures = env.state_dict(), []
        for steps in (0, 20):
            other = start(game="qbert", protocol="machado2018")
            for _ in range(steps):
                other.step(np.array([4]))
            other.load_state_dict(state)
            futures.append([other.step(np.array([2]))[0] for _ in range(20)])
        assert np.array_equal(futures[0], futures[1])
        assert np.array_equal(futures[0], [env.step(np.array([2]))[0] for _ in range(20)])


def advance(env: Atari, actions: np.ndarray) -> list[np.ndarray]:
    """Step, reset the copies whose episodes ended, and return everything observable."""
    observations, rewards, terminated, truncated, infos = env.step(actions)
    ended = terminated | truncated
    fresh = env.reset(options={"reset_mask": ended})[0] if ended.any() else observations
    return [observations, rewards, terminated, truncated, infos["life_lost"], fresh, env.pool.screen(0)]


def test_a_restored_life_lost_goes_on_with_the_same_game(start, emulator, until_a_life_is_lost) -> None:
    env, other = start(game="breakout"), start(game="breakout", seed=8)
    until_a_life_is_lost(env)
    other.load_state_dict(env.state_dict())
    assert np.array_equal(env.reset()[0], other.reset()[0])
    assert emulator(other).lives() == 4


def test_a_state_survives_the_disk(start, tmp_path) -> None:
    env, other = start(2), start(2, seed=5)
    env.step(np.array([2, 3]))
    write_tree(tmp_path, "env", env.state_dict())
    other.load_state_dict(read_tree(tmp_path, "env"))
    assert np.array_equal(other.render_frame(0), env.render_frame(0))
    assert np.array_equal(other.step(np.array([2, 3]))[0], env.step(np.array([2, 3]))[0])


def test_a_foreign_state_is_refused(start) -> None:
    env = start(2)
    for other, words in (
        (start(2, game="breakout"), "other options of atari: game is breakout there, pong here"),
        (start(2, frame_skip=2), "other options of atari: frame_skip is 2 there, 4 here"),
        (start(3), "another num_envs: 3 there, 2 here"),
    ):
        with pytest.raises(UserError, match=f"this state belongs to {words}"):
            env.load_state_dict(other.state_dict())
    with pytest.raises(UserError, match="this state belongs to another environment: something else, not atari"):
        env.load_state_dict({"something": np.zeros(2)})
    start(2, workers=1).load_state_dict(start(2, workers=2).state_dict())  # they change nothing
