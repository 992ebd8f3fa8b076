"""`sandbox recall`, and images of points."""

import av
import numpy as np
import pytest
from PIL import Image

QUIET = ("logger.wandb=off", "media_period=0", "evaluate_period=0", "checkpoint_period=0", "--quiet", "device=cpu")


def size(path):
    with Image.open(path) as image:
        return image.size


def test_stored_damaged_recalled(sandbox, tmp_path):
    assert sandbox("train", "digits_hopfield", "name=memory", *QUIET).code == 0
    done = sandbox("recall", "memory", "--damage", "0.1", "--count", "7")
    assert done.out == "runs/memory/samples/recall.png\n"
    assert done.err == "note: 7 of 7 recalled exactly; mean error per pixel 0.000\n"
    place = tmp_path / done.out.strip()
    assert size(place) == (7 * 49 + 1, 3 * 49 + 1)
    rows = np.split(np.asarray(Image.open(place))[1:].astype(int), 3)
    assert np.array_equal(rows[0], rows[2])
    assert not np.array_equal(rows[0], rows[1])
    many = sandbox("recall", "memory", "--damage", "0", "--count", "5000")
    assert many.err == (
        "note: --count 5000: there are only 10 stored images; all of them are taken\n"
        "note: 10 of 10 recalled exactly; mean error per pixel 0.000\n"
    )
    sandbox("recall", "memory", "--damage", "0.1", "--count", "7")
    before = place.read_bytes()
    assert sandbox("recall", "memory", "--damage", "0.1", "--count", "7").err == done.err
    assert place.read_bytes() == before
    other = sandbox("recall", "memory", "--damage", "0.1", "--count", "7", "--test", "--how", "blank")
    assert (other.code, other.out) == (0, done.out)
    assert place.read_bytes() != before


def test_the_way_as_a_video(sandbox, tmp_path):
    """Each frame updates one pixel of each image; the first and the last frame are held."""
    sandbox("train", "digits_hopfield", "name=memory", *QUIET)
    assert sandbox("recall", "memory", "--out", "way.gif").out == "way.gif\n"
    assert size(tmp_path / "way.gif") == (10 * 49 + 1, 3 * 49 + 1)
    assert sandbox("recall", "memory", "--out", "way.mp4").code == 0
    with av.open(str(tmp_path / "way.mp4")) as movie:
        assert sum(1 for _ in movie.decode(video=0)) > 6 + 12 + 5


def test_who_cannot_recall(sandbox):
    sandbox("train", "digits_rbm", "name=machine", "steps=2", *QUIET)
    assert sandbox("recall", "machine").err == (
        "error: machine is a rbm, which cannot recall. These can: hopfield, modern_hopfield.\n"
    )


@pytest.mark.parametrize("name", ["gan", "modern_hopfield"])
def test_points_are_learned_scored_and_scattered(sandbox, tmp_path, name):
    """A minimal run of a generator on points: training, evaluation and the image of samples."""
    data = "data={name: gaussian_grid, count: 500, test_count: 100}"
    done = sandbox("train", f"generator.name={name}", data, "steps=3", "name=points", *QUIET[:1], "media_period=3")
    assert done.code == 0, done.err
    assert size(tmp_path / "runs" / "points" / "samples" / "step_000000000003.png") == (480, 480)
    assert '"diversity"' in sandbox("evaluate", "points", "--json").out
    assert sandbox("sample", "points", "--out", "points.png").out == "points.png\n"
    assert size(tmp_path / "points.png") == (480, 480)
    if name == "modern_hopfield":
        for command in ("recall", "reconstruct"):
            assert sandbox(command, "points").err == (
                "error: points learns points, not images; see `sandbox sample points`\n"
            )
