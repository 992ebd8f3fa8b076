"""Sequential updates: episodes from their first step to their last, the memory carried along."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

from sandbox.agents.random import Random
from sandbox.buffers.replay import Replay
from sandbox.buffers.sequences import Episodes
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.envs.catch import CatchConfig
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.spec import Spec
from sandbox.streams.experience import ReplayConfig
from sandbox.streams.sequences import SequencesConfig

CPU = torch.device("cpu")


def lived(rows: int, steps: int, longest: int, seed: int = 0) -> Replay:
    """One environment; observations are (episode, age)."""
    replay = Replay(rows, 1, Spec((2,), is_bytes=False), 1, np.random.default_rng(seed), CPU)
    random, episode, age = np.random.default_rng(seed), 0, 0
    left = int(random.integers(1, longest + 1))
    for _ in range(steps):
        replay.add(np.array([[episode, age]], np.float32), np.zeros(1), np.zeros(1), np.array([left == 1]))
        age, left = age + 1, left - 1
        replay.add_last(np.array([[episode, age]], np.float32), np.array([left == 0]))
        if left == 0:
            episode, age, left = episode + 1, 0, int(random.integers(1, longest + 1))
    return replay


def test_each_env_goes_through_whole_episodes_in_order() -> None:
    """The carried state, here the number of steps since the start, is what the learner left, and 0 at a start."""
    replay, episodes = lived(200, 200, 17), Episodes(6, (torch.zeros(6, 1),))
    went: list[Any] = [None] * 6
    for _ in range(40):
        batch = episodes.draw(replay, 5)
        (count,), windows = batch.state, batch.sequences
        for i in range(6):
            episode, age = windows.observations[i, 0].tolist()
            assert count[i] == age
            if went[i] is None:
                assert age == 0
            else:
                assert [episode, age] == went[i]
            steps = int(windows.mask[i].sum())
            assert windows.observations[i, : steps + 1, 1].tolist() == [age + t for t in range(steps + 1)]
            went[i] = [episode, age + 5] if steps == 5 else None
            if went[i] and not _followed(replay, went[i]):
                went[i] = None
        batch.keep_state((count + 5,))


def test_saved_in_the_middle_it_goes_on_as_it_would_have() -> None:
    (replay, first), (again, other) = ((lived(200, 200, 17), Episodes(6, (torch.zeros(6, 1),))) for _ in range(2))
    for _ in range(3):
        first.draw(replay, 5).keep_state((torch.arange(6.0)[:, None],))
    state = copy.deepcopy(first.state_dict())
    again._generator.bit_generator.state = copy.deepcopy(replay._generator.bit_generator.state)
    other.load_state_dict(state)
    for _ in range(5):
        ours, theirs = first.draw(replay, 5), other.draw(again, 5)
        assert torch.equal(ours.sequences.observations, theirs.sequences.observations)
        assert torch.equal(ours.state[0], theirs.state[0])


def _followed(replay: Replay, observation: list[float]) -> bool:
    """Return whether an action followed: the row is neither an episode's last nor the newest."""
    places = np.arange(replay.span()[0][0], replay.span()[1][0] + 1)
    env = np.zeros(len(places), int)
    rows = replay.gather(env[:1], places[None])[0].tolist()
    return bool(replay.drawable(env, places)[rows.index(observation)])


def test_every_episode_is_as_likely_as_another() -> None:
    replay = lived(300, 300, 12)
    starts = np.zeros(200)
    for _ in range(60):
        episodes = Episodes(32, ())
        for episode in episodes.draw(replay, 3).sequences.observations[:, 0, 0].int().tolist():
            starts[episode] += 1
    counts = starts[starts > 0]
    assert counts.std() < 2 * counts.mean() ** 0.5


def test_what_newer_ones_replaced_is_begun_anew() -> None:
    replay, episodes = lived(40, 40, 30), Episodes(4, ())
    episodes.draw(replay, 2)
    for t in range(60):
        replay.add(np.array([[9, t]], np.float32), np.zeros(1), np.zeros(1), np.array([t % 10 == 9]))
        replay.add_last(np.array([[9, t + 1]], np.float32), np.array([t % 10 == 9]))
    batch = episodes.draw(replay, 2).sequences
    assert (batch.observations[:, 0, 0] == 9).all()
    assert (batch.observations[:, 0, 1] % 10 == 0).all()


def test_an_episode_that_is_longer_than_the_replay_has_no_start() -> None:
    replay = Replay(50, 1, Spec((1,), is_bytes=False), 1, np.random.default_rng(0), CPU)
    for _ in range(120):
        replay.add(np.zeros((1, 1), np.float32), np.zeros(1), np.zeros(1), np.zeros(1, bool))
    tries, draw = list[int](), replay.draw
    replay.draw = lambda count: tries.append(count) or draw(4)  # type: ignore[method-assign,func-returns-value]
    with pytest.raises(UserError, match=r"^updates=sequential begins at an episode's first step, and the replay holds"):
        Episodes(2, ()).draw(replay, 5)
    assert tries == [1_024] * 1_000


@pytest.mark.parametrize(("updates", "carried"), [("random", False), ("sequential", True)])
def test_each_kind_of_updates_has_its_sampler(updates: Any, carried: bool) -> None:
    """Sequential updates begin with what the learner kept; random ones always with the initial state."""
    rng, source = Rng(0), CatchConfig(observe="features").make
    learner: Any = Random(spec_of(source(1)), rng)
    learner.initial_state = lambda num_envs: (torch.zeros(num_envs, 2),)
    learner.act = lambda observations, state, *, explore: (np.zeros(len(observations), int), state)
    replay = ReplayConfig(num_envs=2, capacity=200, warmup=60, update_period=2)
    config = SequencesConfig(batch_size=5, length=3, updates=updates, replay=replay)
    experience = config.make(source, learner, rng, Compute(CPU))
    batch = next(experience)
    assert batch.sequences.observations.shape == (5, 4, *spec_of(source(1)).shape)
    assert batch.state[0].shape == (5, 2)
    batch.keep_state((torch.ones(5, 2),))
    assert bool(next(experience).state[0].any()) == carried
    assert ("episodes" in experience.parts()) == carried
