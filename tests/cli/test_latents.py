"""`sandbox reconstruct` and `sandbox traverse`, on runs of a second."""

import numpy as np
import pytest
from PIL import Image

SHORT = ["steps=3", "evaluate_period=0", "media_period=0", "logger.wandb=off", "--quiet"]
DIGITS = ["data={name: digits, binarize: threshold}", "threads=1"]


def size(path):
    with Image.open(path) as image:
        return image.size


@pytest.fixture
def run(sandbox):
    def train(*words):
        done = sandbox("train", *words, *SHORT)
        assert done.code == 0, done.err
        return done.out.split("/")[-1].strip()

    return train


def test_reconstruct_shows_test_images_above_their_reconstructions(run, sandbox, tmp_path):
    name = run("digits_autoencoder")
    assert sandbox("reconstruct").out == f"runs/{name}/samples/reconstructions.png\n"
    assert size(tmp_path / f"runs/{name}/samples/reconstructions.png") == (16 * 49 + 1, 2 * (2 * 49 + 1))
    many = sandbox("reconstruct", name, "--count", "5000", "--out", "all.png")
    assert many.err == "note: --count 5000: there are only 297 test images; all of them are taken\n"
    assert sandbox("reconstruct", name, "--count", "5", "--out", "five.png").out == "five.png\n"
    with Image.open(tmp_path / "five.png") as opened:
        image = np.array(opened)
    assert image.shape == (2 * 49 + 1, 5 * 49 + 1, 3)
    assert np.ptp(image[1:49, 1:49]) == 255  # a digit as it is; untrained reconstructions are all gray
    assert np.ptp(image[50:98, 1:49]) < 255


def test_traverse_draws_and_writes_videos(run, sandbox, tmp_path):
    name = run("digits_vae", "generator.latent_size=3")
    assert sandbox("traverse").out == f"runs/{name}/samples/traversal.png\n"
    assert size(tmp_path / f"runs/{name}/samples/traversal.png") == (11 * 49 + 1, 3 * 49 + 1)
    words = ["traverse", name, "--between", "--count", "4", "--steps", "5", "--out"]
    assert sandbox(*words, "pairs.png").out == "pairs.png\n"
    assert size(tmp_path / "pairs.png") == (5 * 49 + 1, 4 * 49 + 1)
    assert sandbox(*words, "pairs.gif").out == "pairs.gif\n"
    with Image.open(tmp_path / "pairs.gif") as video:
        assert (video.n_frames, video.size) == (8, (2 * 49 + 1, 2 * 49 + 1))  # there and back


@pytest.mark.parametrize(
    ("command", "name", "cannot"),
    [("reconstruct", "gan", "reconstruct images"), ("traverse", "modern_hopfield", "walk through codes")],
)
def test_who_cannot_is_told_who_can(run, sandbox, command, name, cannot):
    run(f"generator.name={name}", *DIGITS, "name=untrained")
    said = sandbox(command, "untrained")
    assert said.code == 2
    assert said.err.startswith(f"error: untrained is a {name}, which cannot {cannot}. These can: autoencoder, ")
    assert "vae, vq_vae" in said.err
    assert f" {name}," not in said.err.split("can: ")[1]
    run("catch_random", "name=player", "steps=20")
    said = sandbox(command, "player")
    assert (said.code, said.err) == (
        2,
        f"error: player is an agent and cannot {cannot}. To see it play: `sandbox watch player`\n",
    )


@pytest.mark.parametrize("command", ["traverse", "recall"])
def test_images_have_a_suffix(sandbox, command):
    said = sandbox(command, "any", "--out", "walk.bmp")
    assert (said.code, said.err) == (
        2,
        "error: cannot write walk.bmp: the name must end in .png (an image), .gif, .mp4 or .webm (a video)\n",
    )
