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
    sandbox("train", "digits_vae", "name=coder", "steps=2", *QUIET)
    assert sandbox("recall", "coder").err == (
        "error: coder is a vae, which cannot recall. These can: boltzmann_machine, dbm, dbn, hopfield, "
        "modern_hopfield, rbm.\n"
    )


def test_a_half_is_hidden_and_the_rest_stays(sandbox, tmp_path):
    """The second row has the hidden half in gray; the third one has the other half of the first row."""
    assert sandbox("train", "digits_rbm", "name=machine", "steps=300", *QUIET).code == 0
    for how in ("half", "left"):
        done = sandbox("recall", "machine", "--how", how, "--count", "5")
        assert done.out == "runs/machine/samples/recall.png\n"
        assert "of 5 recalled exactly" in done.err
        image = np.asarray(Image.open(tmp_path / done.out.strip()).convert("L"))[1:].astype(int)
        tiles = [np.split(row[:-1, 1:], 5, 1) for row in np.split(image, 3)]
        given = (slice(0, 23), slice(0, 47)) if how == "half" else (slice(0, 47), slice(25, 47))
        hidden = (slice(25, 47), slice(0, 47)) if how == "half" else (slice(0, 47), slice(0, 23))
        for first, damaged, restored in zip(*tiles, strict=True):
            assert np.array_equal(first[given], damaged[given])
            assert np.array_equal(first[given], restored[given])
            assert 127 <= damaged[hidden].min() <= damaged[hidden].max() <= 128
            assert not np.array_equal(damaged[hidden], restored[hidden])


def test_a_machine_restores_training_or_test_images(sandbox, tmp_path):
    sandbox("train", "digits_rbm", "name=machine", "steps=2", *QUIET)
    many = sandbox("recall", "machine", "--damage", "0", "--count", "5000")
    assert many.err.startswith("note: --count 5000: there are only 1,500 training images; all of them are taken\n")
    many = sandbox("recall", "machine", "--count", "5000", "--test")
    assert many.err.startswith("note: --count 5000: there are only 297 test images; all of them are taken\n")
    assert sandbox("recall", "machine", "--how", "half", "--count", "2", "--out", "way.gif").out == "way.gif\n"
    assert size(tmp_path / "way.gif") == (2 * 49 + 1, 3 * 49 + 1)


def test_damage_of_a_hidden_half(sandbox):
    assert sandbox("recall", "--how", "top", "--damage", "0.2").err == (
        "error: --damage is the fraction of random pixels, but --how top hides a half. Leave one out.\n"
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
