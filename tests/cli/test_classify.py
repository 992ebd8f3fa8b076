"""`sandbox classify`, on runs of a second."""

import json

import pytest
from PIL import Image

SHORT = ["evaluate_period=0", "media_period=0", "logger.wandb=off", "--quiet"]
DIGITS = ["data={name: digits, binarize: threshold}", "threads=1"]
STAGES = "generator={name: dbn, backbone: {hidden: [16]}, pretraining_steps: 20, softmax: {}}"


@pytest.fixture
def run(sandbox):
    def train(*words):
        done = sandbox("train", *words, *SHORT)
        assert done.code == 0, done.err

    return train


def test_the_error_the_confusion_and_the_wrong_ones(run, sandbox, tmp_path):
    run(STAGES, *DIGITS, "steps=200", "name=net")
    said = sandbox("classify", "net", "--json")
    found = json.loads(said.out)
    wrong = sum(sum(row) for row in found["confusion"]) - sum(row[i] for i, row in enumerate(found["confusion"]))
    assert (found["run"], found["images"]) == ("net", 297)
    assert 0 < len(found["wrong"]) == wrong < 297
    assert found["error"] == pytest.approx(wrong / 297)
    said = sandbox("classify", "--out", "wrong.png")
    first, header, *rows, last = said.out.splitlines()
    assert first == f"error {100 * found['error']:.2f} ± {100 * found['error_ci95']:.2f} % of 297 test images"
    assert header.split() == ["is", "\\", "taken", "for", *map(str, range(10))]
    assert [row.split() for row in rows] == [
        [str(k), *(str(count or "·") for count in row)] for k, row in enumerate(found["confusion"])
    ]
    assert last == "wrong.png"
    with Image.open(tmp_path / "wrong.png") as image:
        assert (image.width - 1) % 49 == (image.height - 1) % 49 == 0
    assert json.loads(sandbox("classify", "net", "--images", "10", "--json").out)["images"] == 10
    many = sandbox("classify", "net", "--images", "5000", "--json")
    assert json.loads(many.out)["images"] == 297
    assert many.err == "note: --images 5000: there are only 297 test images; all of them are taken\n"


def test_who_cannot_is_told_why(run, sandbox):
    run("generator.name=gan", *DIGITS, "steps=3", "name=forger")
    said = sandbox("classify", "forger")
    assert said.code == 2
    assert said.err.startswith(
        "error: forger is a gan, which cannot classify images. These can: capsnet, classifier, db"
    )
    run("catch_random", "steps=20", "name=player")
    assert sandbox("classify", "player").err == (
        "error: player is an agent and cannot classify images. To see it play: `sandbox watch player`\n"
    )
    early = "generator={name: stacked_autoencoder, backbone: {hidden: [8]}, pretraining_steps: 30}"
    run(early, "data.name=digits", "steps=3", "name=early")
    assert sandbox("classify", "early").err == (
        "error: this stacked_autoencoder has no classes yet: it learns them from update 31 on. "
        "Train it further: sandbox resume early --steps 60\n"
    )
    run("generator.name=dbn", *DIGITS, "steps=3", "name=blind")
    assert sandbox("classify", "blind").err == (
        "error: this dbn learns no classes. Train one with a softmax, generator.softmax={}, or with label units, "
        "generator.labels=true.\n"
    )
