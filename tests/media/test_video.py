from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from sandbox.core.errors import UserError
from sandbox.media.video import VideoWriter

COLORS = [(250, 5, 5), (5, 250, 5), (5, 5, 250), (250, 250, 250), (5, 5, 5)]


def frames(height, width, count=5):
    return [np.full((height, width, 3), COLORS[i % len(COLORS)], np.uint8) for i in range(count)]


def write(path, fps, images):
    with VideoWriter(path, fps) as video:
        for image in images:
            video.write(image)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("fps", [30, 12.5])
def test_video_keeps_count_size_colors_and_time(tmp_path, suffix, fps):
    path = tmp_path / f"video{suffix}"
    write(path, fps, frames(33, 47))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        shown = list(container.decode(stream))
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == Fraction(fps)
    assert len(shown) == len(COLORS)
    for i, (frame, color) in enumerate(zip(shown, COLORS, strict=True)):
        assert (frame.height, frame.width) == (34, 48)  # odd sides are padded to even ones
        assert frame.time == pytest.approx(i / fps, abs=1e-3)
        assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - color).max() <= 24


def test_the_padding_repeats_the_edge(tmp_path):
    write(tmp_path / "video.mp4", 10, [np.full((15, 15, 3), 200, np.uint8)])
    with av.open(str(tmp_path / "video.mp4")) as container:
        (frame,) = container.decode(video=0)
    assert frame.to_ndarray(format="rgb24")[-1, -1].min() > 180


def test_gif_is_exact_for_few_colors(tmp_path):
    images = frames(9, 7)
    images[0][2:4, 3:5] = (1, 2, 3)
    write(tmp_path / "video.gif", 10, images)
    with Image.open(tmp_path / "video.gif") as video:
        shown = [(np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in ImageSequence.Iterator(video)]
        assert video.info["loop"] == 0
    assert [duration for _, duration in shown] == [100] * len(images)
    for (frame, _), image in zip(shown, images, strict=True):
        assert np.array_equal(frame, image)


@pytest.mark.parametrize(
    ("fps", "count", "durations"),
    [
        (
            30,
            6,
            [30, 40, 30, 30, 40, 30],
        ),  # 1/30 s is no multiple of 1/100 s: the starts are rounded, not the durations
        (60, 7, [20, 30, 20, 30, 20]),  # players slow down what is shorter than 2/100 s, so frames are left out instead
        (15, 4, [70, 60, 70, 70]),
    ],
)
def test_gif_keeps_its_speed(tmp_path, fps, count, durations):
    write(tmp_path / "video.gif", fps, frames(4, 4, count))
    with Image.open(tmp_path / "video.gif") as video:
        assert [frame.info["duration"] for frame in ImageSequence.Iterator(video)] == durations


@pytest.mark.parametrize("name", ["video.avi", "video"])
def test_other_suffixes_are_an_error_before_a_folder_is_made(tmp_path, name):
    with pytest.raises(UserError) as caught:
        VideoWriter(tmp_path / "new" / name, 30)
    assert (
        str(caught.value)
        == f"cannot write a video to {tmp_path / 'new' / name}: the name must end in .mp4, .webm or .gif."
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_after_an_exception_the_old_file_is_still_there(tmp_path, suffix):
    path = tmp_path / f"video{suffix}"
    path.write_text("the old one")

    def interrupt():
        with VideoWriter(path, 30) as video:
            video.write(frames(8, 8)[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert path.read_text() == "the old one"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_video_without_frames_is_an_error(tmp_path):
    with (
        pytest.raises(UserError, match=r"there were no frames, so .*video.mp4 was not written"),
        VideoWriter(tmp_path / "video.mp4", 9),
    ):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (np.zeros((4, 4, 3), np.float32), r"\[H, W, 3\] uint8, not \[4, 4, 3\] float32"),
        (np.zeros((4, 4), np.uint8), r"\[H, W, 3\] uint8, not \[4, 4\] uint8"),
        (np.zeros((5, 4, 3), np.uint8), r"frames are \(4, 4, 3\), not \(5, 4, 3\)"),
    ],
)
def test_frames_of_another_shape_or_type_are_an_error(tmp_path, frame, message):
    video = VideoWriter(tmp_path / "video.gif", 10)
    video.write(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match=message):
        video.write(frame)
