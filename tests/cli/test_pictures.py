"""`sandbox sample --per-class` and `--video`, and `sandbox traverse` of GANs, on runs of a second."""

import pytest
from PIL import Image

SHORT = ["evaluate_period=0", "logger.wandb=off", "--quiet", "threads=1", "data.name=digits"]
SMALL = "generator.backbone={name: mlp, hidden: [8]}"


@pytest.fixture
def run(sandbox):
    def train(name, *words):
        done = sandbox("train", f"generator.name={name}", f"name={name}", *SHORT, *words)
        assert done.code == 0, done.err

    return train


def size(path):
    with Image.open(path) as image:
        return image.size


def test_a_row_for_each_class(run, sandbox, tmp_path):
    run("cgan", SMALL, "steps=2", "media_period=0")
    assert sandbox("sample", "cgan", "--per-class").out == "runs/cgan/samples/per_class.png\n"
    assert size(tmp_path / "runs/cgan/samples/per_class.png") == (10 * 49 + 1, 10 * 49 + 1)
    assert sandbox("sample", "cgan", "--per-class", "--count", "3", "--out", "three.png").out == "three.png\n"
    assert size(tmp_path / "three.png") == (3 * 49 + 1, 10 * 49 + 1)
    assert sandbox("traverse", "cgan", "--count", "4", "--steps", "5").code == 0
    assert size(tmp_path / "runs/cgan/samples/traversal.png") == (5 * 49 + 1, 4 * 49 + 1)


def test_codes_are_turned_in_each_category(run, sandbox, tmp_path):
    run("infogan", SMALL, "steps=2", "media_period=0", "generator.num_categories=3", "generator.num_codes=2")
    assert sandbox("traverse", "infogan", "--steps", "5").code == 0
    assert size(tmp_path / "runs/infogan/samples/traversal.png") == (5 * 49 + 1, 2 * 3 * 49 + 1)
    assert sandbox("traverse", "infogan", "--between", "--count", "2", "--out", "two.gif").out == "two.gif\n"


def test_a_video_of_training(run, sandbox, tmp_path):
    run("gan", SMALL, "steps=6", "media_period=2")
    assert sandbox("sample", "gan", "--video", "training.gif").out == "training.gif\n"
    with Image.open(tmp_path / "training.gif") as video:
        video.seek(video.n_frames - 1)
        assert video.n_frames >= 3
        assert video.size == (8 * 49 + 1, 8 * 49 + 1)
    said = sandbox("sample", "gan", "--video", "training.gif", "--count", "4")
    assert (said.code, said.err) == (
        2,
        "error: --video shows the images saved during training: leave out --count, --seed, --class, --per-class and "
        "--out\n",
    )
    said = sandbox("sample", "gan", "--per-class")
    assert said.code == 2
    assert said.err.startswith("error: gan is a gan, which cannot be asked for a class. These can: cgan, dbn, infogan,")
    said = sandbox("traverse", "gan", "--between")
    assert said.err.startswith("error: gan is a gan, which cannot walk between test images. These can: autoencod")
    assert sandbox("traverse", "gan", "--count", "2", "--steps", "3").code == 0


def test_a_video_needs_two_images(run, sandbox):
    run("gan", SMALL, "steps=2", "media_period=2")
    said = sandbox("sample", "gan", "--video", "training.gif")
    assert (said.code, said.err) == (
        2,
        "error: gan has only one image from its training, and a video needs two. An image is saved every "
        "media_period updates: train with a smaller one, e.g. media_period=500.\n",
    )
