"""Steps of Atari: every rule of the protocols is replayed on a bare emulator."""

import itertools

import numpy as np
import pytest

from sandbox.environments.rng import VectorRng
from sandbox.envs._atari.emulators import PLAYING
from sandbox.envs.atari import Atari, AtariConfig


@pytest.mark.parametrize("game", ["breakout", "seaquest"])
def test_the_score_is_the_emulators_over_whole_games(start, emulator, replay_of, game: str) -> None:
    """Returns are raw points over whole games: across lost lives, after no-ops, without a lost or repeated frame."""
    random = np.random.default_rng(1)
    env, replay, rng = start(seed=5, game=game), replay_of(game), VectorRng(1)
    rng.start(5, np.array([True]))
    replay.play(0, 1 + int(rng.integers(np.array([True]), 30)[0]))
    ours = theirs = 0.0
    lost = 0
    while not replay.ale.game_over():
        action = int(random.integers(env.single_action_space.n))
        before = emulator(env).getEpisodeFrameNumber()
        _, rewards, terminated, truncated, infos = env.step(np.array([action]))
        theirs += replay.play(int(env.action_codes[action]), emulator(env).getEpisodeFrameNumber() - before)
        ours += float(rewards[0])
        lost += int(infos["life_lost"][0])
        if infos["life_lost"][0]:
            env.reset()
    assert terminated[0]
    assert not truncated[0]
    assert not infos["life_lost"][0]
    assert ours == theirs
    assert ours > 1
    assert lost >= 2


def test_a_step_is_four_frames_and_not_sixteen(start, emulator, looks_like, replay_of, plain) -> None:
    env, replay = start(**plain), replay_of("pong")
    for action in (0, 2, 3, 3, 2, 1, 0) * 10:
        observations, rewards, *_ = env.step(np.array([action]))
        assert rewards[0] == replay.play(int(env.action_codes[action]))
        assert looks_like(observations, replay.screens[-1])
    assert emulator(env).getEpisodeFrameNumber() == 280


def test_the_maximum_of_the_last_two_frames_and_the_first_frame_alone(start, looks_like, replay_of, plain) -> None:
    """Space Invaders draws its shots in every other frame only."""
    env, replay = start(**{**plain, "game": "space_invaders", "max_pool": True}), replay_of("space_invaders")
    assert looks_like(env.reset()[0], replay.screens[-1])
    differed = 0
    for action in (1, 3, 1, 2) * 20:
        observations = env.step(np.array([action]))[0]
        replay.play(int(env.action_codes[action]))
        assert looks_like(observations, np.maximum(*replay.screens[-2:]))
        differed += not looks_like(observations, replay.screens[-1])
    assert differed > 10
    fresh = env.reset()[0]
    assert looks_like(fresh, replay_of("space_invaders").screens[-1])


def test_frames_agree_with_ales_own_vector_environment(start, plain) -> None:
    """Frames agree within one gray level, because OpenCV's INTER_AREA rounds differently."""
    from ale_py.vector_env import AtariVectorEnv

    theirs = AtariVectorEnv(
        "seaquest", 2, num_threads=1, stack_num=1, reward_clipping=False, use_fire_reset=False, noop_max=0
    )
    ours = start(2, game="seaquest", **{**plain, "max_pool": True})
    assert np.abs(ours.reset()[0].astype(int) - theirs.reset(seed=0)[0]).max() <= 1
    random = np.random.default_rng(3)
    for _ in range(80):
        actions = random.integers(0, 18, 2)
        a, b = ours.step(actions), theirs.step(actions)
        assert np.abs(a[0].astype(int) - b[0]).max() <= 1
        assert np.array_equal(a[1], b[1])
    theirs.close()


def test_the_last_observation_of_a_game_is_its_true_last_frame(start, emulator, looks_like, replay_of, plain) -> None:
    """A game that ends within a skip is covered, too."""
    lengths, stale = [], []
    for game, idle in (("breakout", 0), ("breakout", 1), ("ms_pacman", 2), ("seaquest", 0), ("seaquest", 1)):
        env, replay = start(**{**plain, "game": game, "max_pool": True}), replay_of(game)
        random = np.random.default_rng(idle)
        replay.play(0, idle)
        for _ in range(idle):
            emulator(env).act(0)
        while not replay.ale.game_over():
            action = int(random.integers(env.single_action_space.n))
            observations, _, terminated, *_ = env.step(np.array([action]))
            before = replay.ale.getEpisodeFrameNumber()
            replay.play(int(env.action_codes[action]))
        assert terminated[0]
        lengths.append(replay.ale.getEpisodeFrameNumber() - before)
        assert looks_like(
            observations, np.maximum.reduce(replay.screens[-2:] if lengths[-1] == 4 else replay.screens[-1:])
        )
        stale.append(looks_like(observations, replay.screens[-2]))
    assert len(set(lengths)) > 1
    assert not all(stale)


@pytest.mark.parametrize("max_frames", [400, 402])
def test_the_cap_counts_frames_and_truncates_at_the_true_last_one(
    start, emulator, looks_like, replay_of, plain, max_frames: int
) -> None:
    """With no-ops only, the game would never end without the limit of frames."""
    env, replay = (
        start(**{**plain, "game": "breakout", "max_pool": True, "max_frames": max_frames}),
        replay_of("breakout"),
    )
    for step in itertools.count(1):
        action = 3 if step % 2 else 2
        observations, _, terminated, truncated, infos = env.step(np.array([action]))
        if truncated[0]:
            break
        assert not terminated[0]
        replay.play(int(env.action_codes[action]))
    assert step == -(-max_frames // 4)
    replay.play(int(env.action_codes[action]), 4 if max_frames == 400 else 2)
    assert emulator(env).getEpisodeFrameNumber() == max_frames
    assert not terminated[0]
    assert not infos["life_lost"][0]
    assert looks_like(observations, np.maximum(*replay.screens[-2:]))
    assert not looks_like(observations, np.maximum(*replay.screens[-4:-2]))
    with pytest.raises(RuntimeError, match=r"environments \[0\] have not been reset; call reset\(\)"):
        env.step(np.array([0]))
    env.reset()
    assert emulator(env).getEpisodeFrameNumber() == 0


def plans_of(env: Atari) -> list[np.ndarray]:
    """Record the emulators' actions of each later step, [N, 4], without running the emulators."""
    plans: list[np.ndarray] = []

    def step(plan: np.ndarray, lives: np.ndarray) -> np.ndarray:
        plans.append(plan)
        nothing = np.zeros_like(lives)
        return np.stack([nothing, lives, nothing + PLAYING, nothing + 4], 1)

    env.pool.step = step
    return plans


def test_a_sticky_action_is_repeated_in_each_frame_anew(start) -> None:
    env, random = start(8, protocol="machado2018"), np.random.default_rng(0)
    plans, previous, waits = plans_of(env), np.zeros(8, np.int64), []
    for _ in range(1_000):
        actions = (previous + random.integers(1, 18, 8)) % 18  # another one than before
        env.step(actions)
        for frames, before, action in zip(plans[-1].tolist(), previous.tolist(), actions.tolist(), strict=True):
            waits.append(frames.count(before))
            assert frames == [before] * waits[-1] + [action] * (4 - waits[-1])
        previous = plans[-1][:, -1]
    shares = np.bincount(waits, minlength=5) / len(waits)
    expected = np.array([0.75, 0.25 * 0.75, 0.25**2 * 0.75, 0.25**3 * 0.75, 0.25**4])
    assert (np.abs(shares - expected) < 4 * (expected / len(waits)) ** 0.5).all()


def test_without_sticky_actions_all_frames_have_the_chosen_one(start) -> None:
    env = start(8)
    plans, actions = plans_of(env), np.arange(8) % 6
    env.step(actions)
    assert (plans[-1] == env.action_codes[actions][:, None]).all()


def test_the_last_frames_action_is_repeated(start) -> None:
    env, rng = start(4, protocol="machado2018", sticky=0.8, seed=3), VectorRng(4)
    actions = np.array([2, 3, 4, 5])
    for _ in range(20):
        state = env.state_dict()
        previous, rng.state[:] = state["previous"], state["rng"]
        env.step(actions)
        for repeats in (rng.randoms(np.arange(4), 4) < 0.8).T:
            previous = np.where(repeats, previous, actions)
        assert np.array_equal(env.state_dict()["previous"], previous)
    env.reset()
    assert (env.state_dict()["previous"] == 0).all()


def test_illegal_actions(start) -> None:
    env = start(2)
    with pytest.raises(ValueError, match=r"illegal action in \[0, 6\]; each must be in Discrete\(6\)"):
        env.step(np.array([0, 6]))
    assert AtariConfig(protocol="machado2018", workers=1).make(1).single_action_space.n == 18
