"""Overrides in evaluation: another environment or data set if it fits, evaluation settings, and nothing else."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.runs.overrides import overridden
from sandbox.storage.run_folder import RunFolder

DIGITS = "steps: 10\ndata: {name: digits, binarize: threshold}\ngenerator: {name: rbm}\n"
RING = "steps: 10\ndata: {name: gaussian_ring, count: 100, test_count: 10}\ngenerator: {name: gan}\n"
EDGES = "steps: 10\ndata: {name: edges, env: {name: catch}, count: 20}\ngenerator: {name: pix2pix}\n"
CATCH = "steps: 10\nenv: {name: catch, observe: features}\nagent: {name: dqn, backbone: {name: mlp}}\n"


def run(tmp_path: Path, text: str) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.config.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (DIGITS, ["data.binarize=sample", "generator.ais.num_temperatures=100", "threads=1"]),
        (DIGITS, ["data={binarize: none}", "generator.ais={num_temperatures: 100}", "generator.sample_steps=5"]),
        (RING, ["data.deviation=0.1", "device=cpu", "precision=fp32"]),
        (CATCH, ["env.blind=true", "env.wrappers=[{flicker: {p: 0.5}}]", "agent.evaluation_epsilon=0.1"]),
        (CATCH, []),
    ],
)
def test_other_sources_and_evaluation_settings(tmp_path: Path, text: str, words: list[str]) -> None:
    overridden(run(tmp_path, text), words)


def test_the_config_has_the_overrides(tmp_path: Path) -> None:
    config = overridden(run(tmp_path, CATCH), ["agent.evaluation_epsilon=0.1", "env.blind=true"])
    assert config.learner.evaluation_settings() == {"evaluation_epsilon": 0.1}
    assert config.require_agent("run").env.model_dump()["blind"] is True


@pytest.mark.parametrize(
    ("text", "word", "can_change"),
    [
        (DIGITS, "generator.backbone.hidden=[8]", "data.* and generator.sample_steps, generator.ais"),
        (DIGITS, "generator={backbone: {hidden: [8]}}", "data.* and generator.sample_steps, generator.ais"),
        (DIGITS, "seed=1", "data.* and generator.sample_steps, generator.ais"),
        (CATCH, "agent.discount=0.5", "env.* and agent.evaluation_epsilon"),
        (CATCH, "steps=5", "env.* and agent.evaluation_epsilon"),
    ],
)
def test_options_of_training_cannot_change(tmp_path: Path, text: str, word: str, can_change: str) -> None:
    folder = run(tmp_path, text)
    with pytest.raises(UserError) as error:
        overridden(folder, ["device=cpu", word])
    assert str(error.value) == (
        f"{word}: {word.partition('=')[0]} affects training, and run is trained already. Only {can_change}, device, "
        "precision, threads can be changed. Train a new run with it: "
        f"`sandbox train {folder.config} {shlex.quote(word)} name=another`"
    )


def test_an_unknown_option_is_told_first(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"generator\.aiss=1: unknown option\. Did you mean 'generator\.ais'\?"):
        overridden(run(tmp_path, DIGITS), ["generator.aiss=1"])


@pytest.mark.parametrize(
    ("text", "word", "message"),
    [
        (
            DIGITS,
            "data={name: bars_and_stripes, count: 50, test_count: 10}",
            "run was built for [1, 8, 8] bytes and 10 classes, but this gives [1, 4, 4] bytes and 2 classes.",
        ),
        (
            RING,
            "data.modes=5",
            "run was built for [2] numbers and 8 classes, but this gives [2] numbers and 5 classes.",
        ),
        (
            EDGES,
            "data={name: frames, env: {name: catch}, count: 20}",
            "run was built for [1, 84, 84] bytes translated from [1, 84, 84] and 0 classes, but this gives "
            "[1, 84, 84] bytes and 0 classes.",
        ),
        (
            CATCH,
            "env.observe=pixels",
            "run was built for [50] numbers and 3 actions, but this gives [1, 84, 84] bytes and 3 actions.",
        ),
    ],
)
def test_a_source_that_the_learner_was_not_built_for(tmp_path: Path, text: str, word: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        overridden(run(tmp_path, text), [word])
    assert str(error.value) == f"{word}: {message} Leave it out, or train a new run with it."


def test_the_split_of_a_trained_run_stays(sandbox, tmp_path):
    (tmp_path / "scans").mkdir()
    for number in range(30):
        Image.fromarray(np.full((9, 9), 8 * number, np.uint8)).save(tmp_path / f"scans/{number}.png")
    words = ["data={name: images, root: scans, color: gray, size: 8}", "generator.name=autoencoder", "steps=2"]
    small = ["generator.stream.batch_size=4", "name=run", "logger.wandb=off"]
    assert sandbox("train", *words, *small).code == 0
    said = sandbox("evaluate", "run", "data.test_fraction=0.5")
    assert said.code == 2
    assert "data.test_fraction decides which images are test images, and run was trained on the others" in said.err
