"""`sandbox evaluate` of generators, on runs of a second; agents are in test_train and runs/test_option_sweep."""

import json

import pytest
import torch

from sandbox.runs.build import restore
from sandbox.storage.run_folder import RunFolder

SHORT = ["media_period=0", "logger.wandb=off", "threads=1", "--quiet"]
BARS = "data={name: bars_and_stripes, size: 8, count: 300, test_count: 100}"
RING = "data={name: gaussian_ring, count: 200, test_count: 100}"
GAN = "generator={name: gan, backbone: {name: mlp, hidden: [8]}}"
FIGURES = ("fcd", "kid", "precision", "recall", "density", "coverage")


@pytest.fixture
def train(sandbox):
    def run(*words):
        done = sandbox("train", *SHORT, *words)
        assert done.code == 0, done.err
        return done

    return run


def objects(said):
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_images_next_to_real_ones(train, sandbox, tmp_path):
    """Two runs on the same data with different seeds share one classifier; a changed classifier is refused."""
    for seed in (0, 1):
        train(GAN, BARS, "steps=3", "evaluate_period=0", f"seed={seed}", f"name=bars{seed}")
    said = sandbox("evaluate", "bars0", "--json")
    found = objects(said)
    assert said.err.count("\n") == 2
    assert said.err.startswith("note: training a classifier of this data set, once, ")
    assert {*FIGURES, *(f"{name}_floor" for name in FIGURES), "fcd_in_floors", "kid_ci95"} <= set(found)
    assert found["images"] == 100
    assert found["fcd_in_floors"] == pytest.approx(found["fcd"] / found["fcd_floor"])
    assert found["fcd_in_floors"] > 10
    assert "fid" not in said.out.lower()
    assert "diversity" in found
    again = sandbox("evaluate", "bars0", "--json")
    assert (objects(again), again.err) == (found, "")
    other = sandbox("evaluate", "bars1", "--json")
    assert (objects(other)["fcd_classifier"], other.err) == (found["fcd_classifier"], "")
    wrong = sandbox("evaluate", "bars0", "--episodes", "5")
    said = "error: bars0 is a generator, which --episodes does not concern; did you mean --images?\n"
    assert (wrong.code, wrong.err) == (2, said)
    few = objects(sandbox("evaluate", "bars0", "--images", "64", "--json"))
    assert few["fcd_missing"] == (
        "a Gaussian of 64 features needs 65 test images, as many training images and samples, but there are 64: "
        "add --images 65 if the data set has more, or train with more test images"
    )
    assert list(few)[-1] == "fcd_missing"
    *lines, last = sandbox("evaluate", "bars0", "--images", "64").out.splitlines()
    assert last == f"fcd is missing: {few['fcd_missing']}"
    assert "_missing" not in "".join(lines)
    assert any(line.startswith("fcd_classifier ") for line in lines)
    (card,) = tmp_path.glob("runs/classifiers/*/classifier.json")
    card.write_text(card.read_text().replace('"data_sha256": "', '"data_sha256": "0'))
    refused = sandbox("evaluate", "bars0")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"error: the classifier in {card.parent.relative_to(tmp_path)} was trained on other ")
    assert sandbox("runs").code == 0


def test_points_next_to_their_mixture(train, sandbox):
    train(GAN, RING, "steps=3", "evaluate_period=0", "name=ring")
    said = sandbox("evaluate", "ring", "--json")
    found = objects(said)
    assert said.err == ""
    figures = {"modes", "reverse_kl", "js", "high_quality", "sliced_w1"}
    assert {f"{name}_floor" for name in figures} <= set(found)
    assert found["js"] > found["js_floor"] > 0
    assert (found["num_modes"], found["modes_floor"]) == (8, 8.0)
    assert not {"fcd", "fcd_missing", "mean_pixel_distance", "mean_pixel_distance_floor"} & set(found)
    assert "diversity" in found


def test_a_collapse_is_told_once_while_training_and_changes_nothing(train, tmp_path):
    """The learning rate is so small that the generator keeps the lack of diversity of its initial weights."""
    slow = "generator={discriminator_optimizer: {lr: 1e-9}, generator_optimizer: {lr: 1e-9}}"
    said = train(GAN, slow, RING, "steps=5", "log_period=1", "evaluate_period=1", "name=watched")
    lines = [line for line in said.err.splitlines() if "collapsed" in line]
    assert len(lines) == 1
    assert lines[0].startswith(
        "note: the generator has collapsed, at step 2 and at the evaluation before: samples cover 0 of 8 modes and the "
    )
    rows = [json.loads(line) for line in (tmp_path / "runs/watched/metrics.jsonl").read_text().splitlines()]
    assert sum("eval/modes" in row and "eval/js_floor" in row for row in rows) == 5
    assert not any("eval/fcd" in row for row in rows)


def test_overrides_of_what_was_learned_are_refused(train, sandbox):
    train(GAN, RING, "steps=3", "evaluate_period=0", "name=ring")
    refused = sandbox("evaluate", "ring", "generator.latent_size=3")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(
        "error: generator.latent_size=3: generator.latent_size affects training, and ring is trained already. "
    )
    refused = sandbox("evaluate", "ring", "data={name: bars_and_stripes}")
    assert refused.code == 2
    assert "ring was built for [2] numbers and 8 classes, but this gives [1, 4, 4] bytes" in refused.err
    wide = objects(sandbox("evaluate", "ring", "data.deviation=0.2", "--json"))
    assert wide["high_quality_floor"] > 0.9


def test_looking_changes_nothing_where_batches_are_normalized(train, tmp_path):
    """Evaluations during training change no weights, and a reconstruction does not depend on the rest of its batch."""
    words = ["data.name=digits", "generator={name: vae, backbone: {name: strided, channels: [4, 8]}}", "steps=3"]
    train(*words, "evaluate_period=1", "media_period=1", "name=seen")
    train(*words, "evaluate_period=0", "name=unseen")
    (seen, _), (unseen, _) = (restore(RunFolder(tmp_path / "runs" / name)) for name in ("seen", "unseen"))
    ours, theirs = (run.learner.parts()["network"].state_dict() for run in (seen, unseen))
    assert any("running_mean" in name for name in ours)
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    images = seen.data.test[:5]
    torch.testing.assert_close(seen.learner.reconstruct(images)[:1], seen.learner.reconstruct(images[:1]))
