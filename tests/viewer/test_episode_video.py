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


def test_every_step_is_a_frame_and_an_end_is_shown_for_half_a_second(catch, tmp_path):
    ends = list(record_video(islice(catch, 2), tmp_path / "catch.mp4", fps=10))
    assert [(end.seed, end.step, end.is_last) for end in ends] == [(0, 9, True), (1, 9, True)]
    assert count_frames(tmp_path / "catch.mp4") == 2 * (10 + 5)


def test_a_video_ends_after_its_maximum_of_frames(catch, tmp_path):
    ends = list(record_video(catch, tmp_path / "catch.mp4", fps=10, max_frames=13))
    assert [(end.seed, end.step, end.is_last) for end in ends] == [(0, 9, True), (1, 2, False)]
    assert count_frames(tmp_path / "catch.mp4") == 10 + 5 + 3
