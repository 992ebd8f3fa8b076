"""Resets of Atari: lost lives, no-ops, FIRE, and the other copies."""

import numpy as np
import pytest
from ale_py import ALEInterface

from sandbox.envs._atari.emulators import Emulators, Rules


def test_a_life_lost_ends_an_episode_and_the_game_goes_on(start, emulator, until_a_life_is_lost) -> None:
    env = start(game="breakout")
    observations, _, terminated, truncated, infos = until_a_life_is_lost(env)
    assert (bool(terminated[0]), bool(truncated[0]), bool(infos["life_lost"][0])) == (True, False, True)
    assert emulator(env).lives() == 4
    frame = emulator(env).getEpisodeFrameNumber()
    assert np.array_equal(env.reset(options={"reset_mask": np.array([True])})[0], observations)
    assert (emulator(env).lives(), emulator(env).getEpisodeFrameNumber()) == (4, frame)
    assert not env.step(np.array([0]))[2][0]
    until_a_life_is_lost(env)
    env.reset(seed=0)
    assert (emulator(env).lives(), emulator(env).getEpisodeFrameNumber() <= 30) == (5, True)
    flags = []
    while True:
        _, _, terminated, _, infos = until_a_life_is_lost(env)
        flags.append(bool(infos["life_lost"][0]))
        if not flags[-1]:
            break
        env.reset()
    assert flags == [True] * 4 + [False]
    assert terminated[0]
    env.reset()
    assert emulator(env).lives() == 5


def test_machado2018_ignores_lost_lives(start, emulator, until_a_life_is_lost) -> None:
    env = start(game="breakout", protocol="machado2018")
    _, _, terminated, _, infos = until_a_life_is_lost(env)
    assert terminated[0]
    assert not infos["life_lost"][0]
    assert emulator(env).lives() == 0


def test_noops_are_1_to_their_maximum_and_follow_the_seed(start, emulator) -> None:
    env = start(2, game="breakout", noop_max=4)
    counts = []
    for _ in range(60):
        env.reset(options={"reset_mask": np.array([True, False])})
        counts.append(emulator(env).getEpisodeFrameNumber())
    assert set(counts) == {1, 2, 3, 4}
    env.reset(seed=9)
    first = [emulator(env, index).getEpisodeFrameNumber() for index in range(2)]
    env.reset(seed=[None, 9])
    env.reset(seed=[9, 10])
    assert [emulator(env, index).getEpisodeFrameNumber() for index in range(2)] == first
    assert emulator(start(noop_max=0)).getEpisodeFrameNumber() == 0


def test_fire_on_reset_and_only_where_the_game_knows_it(start, emulator) -> None:
    assert emulator(start(game="breakout", noop_max=0, fire_on_reset=True)).getEpisodeFrameNumber() == 1
    assert emulator(start(game="ms_pacman", noop_max=0, fire_on_reset=True)).getEpisodeFrameNumber() == 0


def test_a_game_that_fire_ends_starts_again(looks_like, replay_of) -> None:
    class Fragile:
        """An emulator whose game is over after the first FIRE."""

        def __init__(self, ale: ALEInterface) -> None:
            self._ale, self.fired = ale, False
            self.getScreenGrayscale, self.lives = ale.getScreenGrayscale, ale.lives

        def act(self, action: int) -> int:
            self.fired |= action == 1
            return self._ale.act(action)

        def game_over(self) -> bool:
            return self.fired

        def reset_game(self) -> None:
            self.fired = False

        def restoreSystemState(self, state) -> None:  # noqa: N802
            self._ale.restoreSystemState(state)

    observations = np.zeros((1, 84, 84), np.uint8)
    games = Emulators(Rules("breakout", None, None, 4, True, 10_000, True), observations)
    games.emulators = [Fragile(games.emulators[0])]
    assert games.start(np.array([0]), np.array([3]), True).tolist() == [5]
    assert not games.emulators[0].game_over()
    assert looks_like(observations, replay_of("breakout").screens[-1])


def test_a_masked_reset_leaves_the_others_alone(start) -> None:
    """A masked reset starts a new game in environment 1; 0 and 2 keep their states."""
    env, other = start(3, game="breakout"), start(3, game="breakout")
    for action in (1, 2, 3, 0, 2):
        observations = env.step(np.full(3, action))[0]
        other.step(np.full(3, action))
    after = env.reset(options={"reset_mask": np.array([False, True, False])})[0]
    assert np.array_equal(after[[0, 2]], observations[[0, 2]])
    assert not np.array_equal(after[1], observations[1])
    a, b = env.step(np.array([2, 2, 3]))[0], other.step(np.array([2, 2, 3]))[0]
    assert np.array_equal(a[[0, 2]], b[[0, 2]])
    for mask in (np.array([True]), np.zeros(3, bool), np.ones(3)):
        with pytest.raises(ValueError, match=r"options\['reset_mask'\] must be bool, of shape \(3,\)"):
            env.reset(options={"reset_mask": mask})


def test_copies_do_not_depend_on_each_other(start) -> None:
    many = start(3, seed=4, game="breakout", protocol="machado2018")
    alone = [start(1, seed=4 + index, game="breakout", protocol="machado2018") for index in range(3)]
    random = np.random.default_rng(0)
    for _ in range(60):
        actions = random.integers(0, 18, 3)
        ours = many.step(actions)[:4]
        for index, env in enumerate(alone):
            for a, b in zip(ours, env.step(actions[index : index + 1])[:4], strict=True):
                assert np.array_equal(a[index], b[0])
