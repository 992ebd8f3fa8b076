"""What a run may be scored under: another world, if it fits, and how it is scored; nothing that it has learnt."""

from pathlib import Path

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.overrides import EVALUATION, require_fit
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
def test_other_worlds_and_ways_of_scoring(tmp_path: Path, text: str, words: list[str]) -> None:
    require_fit(run(tmp_path, text), words)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (DIGITS, "generator.hidden_size=8"),
        (DIGITS, "generator={hidden_size: 8}"),
        (CATCH, "agent.discount=0.5"),
        (DIGITS, "seed=1"),
        (DIGITS, "generator.aisle=1"),
        (DIGITS, "steps=5"),
    ],
)
def test_what_was_learnt_stays(tmp_path: Path, text: str, word: str) -> None:
    folder = run(tmp_path, text)
    with pytest.raises(UserError) as error:
        require_fit(folder, ["device=cpu", word])
    assert str(error.value) == (
        f"{word}: a run is scored as it was trained; what can change is its world (env or data) and what scoring "
        f"itself reads ({', '.join(EVALUATION)}). To see what {word.partition('=')[0]} does, train another run: "
        f"`sandbox train {folder.config} {word} name=...`"
    )


@pytest.mark.parametrize(
    ("text", "word", "message"),
    [
        (
            DIGITS,
            "data={name: bars_and_stripes, count: 50, test_count: 10}",
            "run was built for [1, 8, 8] bytes and 10 classes; with this there are [1, 4, 4] bytes and 2 classes.",
        ),
        (
            RING,
            "data.modes=5",
            "run was built for [2] numbers and 8 classes; with this there are [2] numbers and 5 classes.",
        ),
        (
            EDGES,
            "data={name: frames, env: {name: catch}, count: 20}",
            "run was built for [1, 84, 84] bytes of sources [1, 84, 84] and 0 classes; with this there are [1, 84, 84] "
            "bytes and 0 classes.",
        ),
        (
            CATCH,
            "env.observe=pixels",
            "run was built for [50] numbers and 3 actions; with this there are [1, 84, 84] bytes and 3 actions.",
        ),
    ],
)
def test_a_world_that_it_was_not_built_for(tmp_path: Path, text: str, word: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        require_fit(run(tmp_path, text), [word])
    assert str(error.value) == f"{word}: {message} Leave them as they are, or train a run on these."
