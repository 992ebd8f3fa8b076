"""A person's own folders of images, from training to samples: moved data, few images, class names, files out."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

SHORT = ["steps=3", "evaluate_period=0", "media_period=0", "logger.wandb=off", "threads=1", "--quiet"]
SMALL = "generator.backbone={name: mlp, hidden: [8]}"
STREAM = "generator.stream.batch_size=4"


def fill(folder, count=12, classes=("cat", "dog")):
    draws = np.random.default_rng(0)
    for label in classes:
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            image = draws.integers(0, 256, (8, 8)).astype(np.uint8)
            Image.fromarray(image).save(folder / label / f"{number}.png")
    return f"data={{name: images, root: {folder.name}, size: 8, color: gray, test_fraction: 0.4}}"


@pytest.fixture
def train(sandbox, tmp_path):
    def run(name, *words, **folder):
        data = fill(tmp_path / "pets", **folder)
        done = sandbox("train", data, f"generator.name={name}", STREAM, f"name={name}", *words, *SHORT)
        assert done.code == 0, done.err

    return run


def test_samples_need_no_data_and_data_may_move(train, sandbox, tmp_path, monkeypatch):
    train("vae", SMALL)
    shutil.move(tmp_path / "pets", tmp_path / "elsewhere")
    assert sandbox("sample", "vae").out == "runs/vae/samples/latest.png\n"
    said = sandbox("evaluate", "vae")
    assert said.code == 2
    assert "pets is not a folder" in said.err
    assert sandbox("evaluate", "vae", "data.root=elsewhere", "--json").code == 0
    config = (tmp_path / "runs/vae/config.yaml").read_text()
    assert f"root: {tmp_path}/pets" in config
    assert "pets is not a folder" in sandbox("resume", "vae", "steps=6", "--quiet").err
    assert sandbox("resume", "vae", "data.root=elsewhere", "steps=6", "--quiet").code == 0
    assert f"root: {tmp_path}/elsewhere" in (tmp_path / "runs/vae/config.yaml").read_text()
    assert sandbox("resume", "vae", "steps=8", "--quiet").code == 0


def test_a_file_that_is_added_moves_no_other_and_is_told(train, sandbox, tmp_path):
    train("vae", SMALL)
    Image.new("L", (8, 8), 77).save(tmp_path / "pets/cat/new.png")
    said = sandbox("evaluate", "vae", "--json")
    assert said.code == 0
    assert (
        "note: the data are not those that this run was trained on: images were added, removed or changed." in said.err
    )


def test_seed_files_and_classes_of_samples(train, sandbox, tmp_path):
    train("cgan", SMALL)
    for name, seed in (("one", "1"), ("same", "1"), ("other", "2")):
        assert sandbox("sample", "cgan", "--count", "5", "--seed", seed, "--out", f"{name}.npz").code == 0
    one, same, other = (np.load(tmp_path / f"{name}.npz")["samples"] for name in ("one", "same", "other"))
    assert (one.shape, one.dtype) == ((5, 1, 8, 8), np.float32)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert sandbox("sample", "cgan", "--class", "dog", "--count", "3", "--out", "dogs").code == 0
    assert sorted(path.name for path in (tmp_path / "dogs").iterdir()) == ["0_1.png", "1_1.png", "2_1.png"]
    said = sandbox("sample", "cgan", "--class", "dgo")
    assert (said.code, said.err) == (
        2,
        "error: --class dgo: cgan has no such class. Did you mean 'dog'? Its classes are cat, dog.\n",
    )
    assert sandbox("sample", "cgan", "--per-class", "--out", "both.npz").code == 0
    assert np.load(tmp_path / "both.npz")["labels"].tolist() == [0] * 10 + [1] * 10


def test_own_images_are_reconstructed_and_classified(train, sandbox, tmp_path):
    layers = ["generator.backbone.hidden=[6, 4]", "generator.pretraining_steps=1"]
    train("stacked_autoencoder", *layers)
    Image.new("RGB", (30, 20), (200, 10, 10)).save(tmp_path / "mine.jpg")
    assert sandbox("reconstruct", "--from", "mine.jpg", "--out", "back.png").code == 0
    said = sandbox("classify", "--from", "mine.jpg", "--json")
    assert said.code == 0, said.err
    (row,) = json.loads(said.out)["images"]
    assert row["file"] == "mine.jpg"
    assert row["class"] in ("cat", "dog")
    assert json.loads(sandbox("classify", "--json").out)["classes"] == ["cat", "dog"]
    assert "cat" in sandbox("classify").out.splitlines()[1]
    said = sandbox("reconstruct", "--from", "nowhere")
    assert said.err.startswith("error: there is no image in nowhere (looked in")


def test_own_pairs_are_learned_and_translated(sandbox, tmp_path):
    for folder, shade in (("sources", 90), ("images", 180)):
        (tmp_path / "maps" / folder).mkdir(parents=True)
        for number in range(8):
            Image.new("L", (8, 8), shade + 9 * number).save(tmp_path / "maps" / folder / f"{number}.png")
    data = "data={name: pairs, root: maps, size: 16, color: gray, source_color: gray}"
    done = sandbox("train", data, "generator.name=pix2pix", STREAM, "name=maps", *SHORT)
    assert done.code == 0, done.err
    assert sandbox("translate", "maps").code == 0
    assert sandbox("translate", "maps", "--from", "maps/sources", "--out", "mine.png").code == 0


@pytest.mark.parametrize("count", [2, 5])
def test_few_images(train, sandbox, tmp_path, count):
    """One test image: figures are missing with their reason, and nothing is written that is not finite."""
    train("vae", SMALL, "generator.stream.batch_size=1", count=count, classes=(".",))
    said = sandbox("evaluate", "vae")
    assert said.code == 0, said.err
    assert "NaN" not in (tmp_path / "runs/vae/evaluation.json").read_text()
    said = sandbox("traverse", "vae", "--between")
    assert said.code == 0 or "has only one. Leave --between out" in said.err
    assert "Traceback" not in said.err
