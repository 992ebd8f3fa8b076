from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from sandbox.core.errors import UserError
from sandbox.media.video import Film

COLOURS = [(250, 5, 5), (5, 250, 5), (5, 5, 250), (250, 250, 250), (5, 5, 5)]


def frames(height, width, count=5):
    return [np.full((height, width, 3), COLOURS[i % len(COLOURS)], np.uint8) for i in range(count)]


def shoot(path, fps, pictures):
    with Film(path, fps) as film:
        for picture in pictures:
            film.write(picture)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("fps", [30, 12.5])
def test_video_keeps_count_size_colours_and_time(tmp_path, suffix, fps):
    path = tmp_path / f"film{suffix}"
    shoot(path, fps, frames(33, 47))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        shown = list(container.decode(stream))
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == Fraction(fps)
    assert len(shown) == len(COLOURS)
    for i, (frame, colour) in enumerate(zip(shown, COLOURS, strict=True)):
        assert (frame.height, frame.width) == (34, 48)  # odd sides are padded to even ones
        assert frame.time == pytest.approx(i / fps, abs=1e-3)
        assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - colour).max() <= 24


def test_the_padding_repeats_the_edge(tmp_path):
    shoot(tmp_path / "film.mp4", 10, [np.full((15, 15, 3), 200, np.uint8)])
    with av.open(str(tmp_path / "film.mp4")) as container:
        (frame,) = container.decode(video=0)
    assert frame.to_ndarray(format="rgb24")[-1, -1].min() > 180


def test_gif_is_exact_for_few_colours(tmp_path):
    pictures = frames(9, 7)
    pictures[0][2:4, 3:5] = (1, 2, 3)
    shoot(tmp_path / "film.gif", 10, pictures)
    with Image.open(tmp_path / "film.gif") as film:
        shown = [(np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in ImageSequence.Iterator(film)]
        assert film.info["loop"] == 0
    assert [duration for _, duration in shown] == [100] * len(pictures)
    for (frame, _), picture in zip(shown, pictures, strict=True):
        assert np.array_equal(frame, picture)


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
    shoot(tmp_path / "film.gif", fps, frames(4, 4, count))
    with Image.open(tmp_path / "film.gif") as film:
        assert [frame.info["duration"] for frame in ImageSequence.Iterator(film)] == durations


@pytest.mark.parametrize("name", ["film.avi", "film"])
def test_other_suffixes_are_refused_before_anything_is_made(tmp_path, name):
    with pytest.raises(UserError) as caught:
        Film(tmp_path / "new" / name, 30)
    assert str(caught.value) == f"cannot film to {tmp_path / 'new' / name}: the name must end in .mp4, .webm or .gif."
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_a_broken_film_never_lies_there(tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    path.write_text("the old one")

    def break_off():
        with Film(path, 30) as film:
            film.write(frames(8, 8)[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert path.read_text() == "the old one"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_film_without_frames_says_so(tmp_path):
    with (
        pytest.raises(UserError, match=r"no frame was shown, so .*film.mp4 was not written"),
        Film(tmp_path / "film.mp4", 9),
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
def test_frames_of_another_kind_are_refused(tmp_path, frame, message):
    film = Film(tmp_path / "film.gif", 10)
    film.write(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match=message):
        film.write(frame)
