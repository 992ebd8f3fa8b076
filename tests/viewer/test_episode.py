from itertools import islice

import numpy as np
import pytest

from sandbox.envs.catch import CatchConfig
from sandbox.viewer.episode import PlayerSlot, episodes


def test_an_episode_follows_the_environment(steady):
    env, twin = CatchConfig().make(1), CatchConfig().make(1)
    twin.reset(seed=5)
    frames = list(next(episodes([PlayerSlot(steady(2))], env, seed=5)))
    assert [frame.step for frame in frames] == list(range(10))
    assert frames[0].actions == ()
    for frame in frames[1:]:
        _, rewards, terminated, _, _ = twin.step(np.array([2]))
        assert (frame.actions, frame.is_last, frame.return_) == ((2,), terminated[0], rewards[0])
        np.testing.assert_array_equal(frame.pixels, twin.render_frame(0))
    assert frames[-1].is_last


def test_each_episode_has_the_next_seed_and_a_fresh_state(steady):
    player = steady(1)
    played = [list(episode) for episode in islice(episodes([PlayerSlot(player)], CatchConfig().make(1), seed=3), 2)]
    assert [frames[-1].seed for frames in played] == [3, 4]
    assert player.states == [*range(9), *range(9)]
    assert player.explored == {False}


def test_an_episode_may_be_left_early(steady):
    played = episodes([PlayerSlot(steady(1))], CatchConfig().make(1), seed=0)
    early = next(played)
    next(early), next(early)
    frames = list(next(played))
    assert (frames[0].seed, len(frames)) == (1, 10)


def test_several_environments_are_refused(steady):
    with pytest.raises(ValueError, match="the viewer shows one environment, but this one holds 2"):
        next(episodes([PlayerSlot(steady(1))], CatchConfig().make(2), seed=0))


class Lives:
    """An environment that loses a life at every third step, waits for a reset, and is over after nine steps."""

    num_envs, now, waiting = 1, 0, False

    def reset(self, *, seed=None, options=None):
        self.now, self.waiting = self.now if self.waiting else 0, False
        return np.array([[self.now]]), {}

    def step(self, actions):
        assert not self.waiting
        self.now += 1
        lost = self.now % 3 == 0
        self.waiting = lost and self.now < 9
        return (
            np.array([[self.now]]),
            np.ones(1),
            np.array([lost]),
            np.zeros(1, bool),
            {"life_lost": np.array([self.waiting])},
        )

    def step_frames(self, index, *, playing):
        return [np.zeros((8, 8, 3), np.uint8)]


def test_a_lost_life_is_not_the_end(steady):
    frames = list(next(episodes([PlayerSlot(steady(0))], Lives(), seed=0)))
    assert [(frame.step, frame.is_last) for frame in frames] == [(step, step == 9) for step in range(10)]
    assert frames[-1].return_ == 9.0
