"""`sandbox translate` and the scores of `sandbox evaluate`, on runs of a second."""

import json

import numpy as np
import pytest
from PIL import Image

from sandbox.storage.run_folder import RunFolder

SHORT = ["steps=3", "evaluate_period=3", "media_period=3", "logger.wandb=off", "threads=1", "--quiet"]
TINY = "generator={channels: [4, 8], patch_channels: [4, 8], stream: {batch_size: 4}}"
DATA = "data={count: 60, shrink: 4}"


@pytest.fixture
def run(sandbox):
    def train(*words):
        done = sandbox("train", *words, *SHORT)
        assert done.code == 0, done.err
        return done.out.split("/")[-1].strip()

    return train


def image(path):
    with Image.open(path) as opened:
        return np.array(opened)


def test_edges_above_frames_above_the_truth(run, sandbox, tmp_path):
    name = run("edges_pix2pix", TINY, DATA)
    assert sandbox("translate").out == f"runs/{name}/samples/translations.png\n"
    assert image(tmp_path / f"runs/{name}/samples/translations.png").shape == (3 * 43 + 1, 6 * 43 + 1, 3)
    assert sandbox("translate", name, "--count", "2", "--out", "two.png").out == "two.png\n"
    two = image(tmp_path / "two.png")
    assert two.shape == (3 * 43 + 1, 2 * 43 + 1, 3)
    assert set(np.unique(two[1:43, 1:43])) == {0, 255}  # edges are black and white
    scores = json.loads(sandbox("evaluate", name, "--json").out)
    assert scores["images"] == 6
    assert {"l1", "l1_ci95", "ssim", "l1_mean_image", "ssim_mean_image", "l1_copy", "ssim_copy"} <= scores.keys()
    assert (tmp_path / f"runs/{name}/samples/step_000000000003.png").exists()


def test_gray_above_colors(run, sandbox, tmp_path):
    name = run("colors_cyclegan", TINY, DATA)
    sandbox("translate", name, "--count", "2", "--out", "two.png")
    top, _, bottom = np.split(image(tmp_path / "two.png")[1:], 3)
    assert np.ptp(top.astype(int), axis=2).max() == 0
    assert bottom[:-1, 1:-1].reshape(-1, 3)[0].tolist() == [16, 42, 96]  # the night
    assert sandbox("translate", name, "--count", "2", "--back").out == f"runs/{name}/samples/back.png\n"
    first, between, last = np.split(image(tmp_path / f"runs/{name}/samples/back.png")[1:], 3)
    assert (np.array_equal(first, bottom), np.array_equal(last, top)) == (True, True)
    assert not np.array_equal(between, last)


def test_a_square_is_missing(run, sandbox, tmp_path):
    name = run("digits_context_encoder", "generator.backbone={name: mlp, hidden: [16]}")
    sandbox("translate", name, "--count", "3", "--out", "three.png")
    three = image(tmp_path / "three.png")
    assert three.shape == (3 * 49 + 1, 3 * 49 + 1, 3)
    holes = (three[1:49, 1:49, 0] == 128).reshape(8, 6, 8, 6).all((1, 3))
    assert 16 <= holes.sum() <= 20  # some pixels are as gray by themselves
    scores = json.loads(sandbox("evaluate", name, "--json").out)
    assert {"l1", "ssim", "l1_surrounding", "l1_blur", "ssim_blur"} <= scores.keys()


def test_who_cannot_is_told_who_can(run, sandbox):
    run("generator.name=gan", "data={name: digits}", "name=untrained")
    said = sandbox("translate", "untrained")
    assert (said.code, said.err) == (
        2,
        "error: untrained is a gan, which cannot translate images. These can: context_encoder, cyclegan, pix2pix.\n",
    )
    assert sandbox("translate", "untrained", "--back").err == (
        "error: untrained is a gan, which cannot translate images back. These can: cyclegan.\n"
    )


def test_an_agent_is_refused_by_its_config_before_anything_is_built(sandbox, tmp_path):
    config = "steps: 1\nenv: {name: catch}\nagent: {name: dqn}\n"
    RunFolder.create(tmp_path / "runs", "player", config=config, command=[])  # it has no checkpoint to be built from
    said = sandbox("translate", "player")
    assert (said.code, said.err) == (
        2,
        "error: player is an agent and cannot translate images. To see it play: `sandbox watch player`\n",
    )


def test_unpaired_data_for_a_model_that_needs_pairs(sandbox):
    said = sandbox("train", "edges_pix2pix", "data.name=colors", DATA, *SHORT)
    assert said.code == 2
    assert said.err.splitlines()[-1] == (
        "error: this generator learns from pairs, but these data do not say which source belongs to which image. "
        "Take a set that does, e.g. data.name=edges, or generator.name=cyclegan, which needs no pairs."
    )
