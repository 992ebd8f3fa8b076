from itertools import islice

import av
import pytest

from sandbox.envs.catch import CatchConfig
from sandbox.viewer.episode import PlayerSlot, episodes
from sandbox.viewer.episode_video import record_video


@pytest.fixture
def catch(steady):
    return episodes([PlayerSlot(steady(1))], CatchConfig().make(1), seed=0)


def count_frames(path):
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_every_step_is_filmed_and_an_end_stays_half_a_second(catch, tmp_path):
    ends = list(record_video(islice(catch, 2), tmp_path / "catch.mp4", fps=10))
    assert [(end.seed, end.step, end.ended) for end in ends] == [(0, 9, True), (1, 9, True)]
    assert count_frames(tmp_path / "catch.mp4") == 2 * (10 + 5)


def test_a_film_without_end_is_cut(catch, tmp_path):
    ends = list(record_video(catch, tmp_path / "catch.mp4", fps=10, max_frames=13))
    assert [(end.seed, end.step, end.ended) for end in ends] == [(0, 9, True), (1, 2, False)]
    assert count_frames(tmp_path / "catch.mp4") == 10 + 5 + 3
