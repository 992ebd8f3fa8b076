"""References to runs and their checkpoints."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sandbox.core.errors import UserError
from sandbox.storage.reference import NoRunError, Reference, parse_reference
from sandbox.storage.run_folder import RunFolder

TEXTS = st.text(st.characters(), max_size=30)  # lone surrogates and control characters included
SIGNS = st.text("ab:@/.\\0 =5", max_size=12) | st.builds("{}{}".format, st.sampled_from(["zoo:", "hub:", "@"]), TEXTS)
ONE_FOLDER = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize(
    ("text", "run", "step"),
    [
        ("latest", "latest", None),
        ("catch_dqn_s0", "catch_dqn_s0", None),
        ("../runs/mine", "../runs/mine", None),
        ("latest@5", "latest", 5),
        ("runs/a_b-1.0@000000000600", "runs/a_b-1.0", 600),
        ("a@b@7", "a@b", 7),
        ("C:/runs/mine", "C:/runs/mine", None),
        ("zoo", "zoo", None),
        ("hub:", "hub:", None),
    ],
)
def test_a_step_follows_the_run(tmp_path, text, run, step):
    assert parse_reference(tmp_path, text) == Reference(run, step)


@pytest.mark.parametrize(
    "text", ["mine@", "@5", "@best", "mine@bset", "mine@-1", "mine@1.5", "mine@1234567890123", "a@٥"]
)
def test_anything_else_is_refused(tmp_path, text):
    with pytest.raises(UserError, match=r"names no checkpoint: write RUN@STEP, such as catch_dqn_s0@2000$"):
        parse_reference(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty text names no run. See `sandbox runs`."),
        (
            "mine@best",
            "mine@best: the best checkpoint is not kept yet. mine without @best is the newest one; mine@STEP, such as "
            "mine@2000, is that of a step.",
        ),
        (
            "zoo:pong",
            "zoo:pong: there is no zoo of trained runs yet. Train one, such as `sandbox train catch_dqn`.",
        ),
        (
            "hub:me/pong_s0",
            "hub:me/pong_s0: runs are not fetched from the Hugging Face Hub yet. Fetch it with "
            "`hf download me/pong_s0 --local-dir pong_s0`, then say ./pong_s0 instead.",
        ),
        (
            "hub:me/$(pong)",
            "hub:me/$(pong): runs are not fetched from the Hugging Face Hub yet. Fetch it with "
            "`hf download OWNER/NAME --local-dir NAME`, then say ./NAME instead.",
        ),
    ],
)
def test_what_is_not_there_yet_says_so(tmp_path, text, message):
    for given_text in (text, f"{text}@5", f"{text}@best") if ":" in text else (text,):
        with pytest.raises(UserError) as error:
            parse_reference(tmp_path, given_text)
        assert str(error.value) == message
        assert not isinstance(error.value, NoRunError)


@ONE_FOLDER
@given(TEXTS | SIGNS)
@example("\0")
@example("\ud800@5")
@example("x" * 5_000)
def test_any_text_is_a_reference_or_a_mistake_of_the_user(tmp_path, text):
    for find in (parse_reference, RunFolder.find):
        with suppress(UserError):
            find(tmp_path / "runs", text)


@ONE_FOLDER
@given(TEXTS | SIGNS, st.none() | st.integers(0, 10**12 - 1))
def test_a_reference_is_read_as_it_is_written(tmp_path, run, step):
    """A reference is read again from its text, and every run that may be named may be named with a step."""
    try:
        whole = parse_reference(tmp_path, run)
    except UserError:
        return
    assert parse_reference(tmp_path, str(whole)) == whole
    reference = Reference(whole.run, step)
    if step is not None or whole.step is None:
        assert parse_reference(tmp_path, str(reference)) == reference


@ONE_FOLDER
@given(st.text("ab@:5", min_size=1, max_size=8))
@example("zoo:a")
@example("a@best")
@example("hub:a")
def test_a_folder_is_found_by_its_name_and_its_path(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    for text in (name, str(folder)):
        assert parse_reference(tmp_path, text) == Reference(text)
        assert parse_reference(tmp_path, f"{text}@34") == Reference(text, 34)


@pytest.mark.parametrize("name", ["mine@home", "mine@best", "zoo:mine", "hub:me", "a:b", "latest@7"])
def test_a_folder_may_have_a_sign_in_its_name(tmp_path, monkeypatch, name):
    run = RunFolder.create(tmp_path, "mine", config="steps: 5\n", command=[])
    run.path.rename(tmp_path / name)
    assert RunFolder.find(tmp_path, name) == RunFolder(tmp_path / name)
    assert RunFolder.find(tmp_path, f"{name}@3") == RunFolder(tmp_path / name, at=3)
    monkeypatch.chdir(tmp_path)
    assert RunFolder.find(Path("elsewhere"), f"{name}@3") == RunFolder(Path(name), at=3)


@pytest.mark.parametrize("words", [["evaluate"], ["watch"], ["show"], ["resume"], ["play", "pong", "--vs"], ["report"]])
def test_every_command_says_what_is_not_there_yet(sandbox, words):
    assert sandbox(*words, "zoo:pong").err == (
        "error: zoo:pong: there is no zoo of trained runs yet. Train one, such as `sandbox train catch_dqn`.\n"
    )


def test_every_command_takes_a_step(sandbox, tmp_path):
    words = ["steps=600", "checkpoint_period=200", "snapshots=3", "evaluate_period=0", "logger.wandb=off", "name=mine"]
    sandbox("train", "catch_dqn", "agent.backbone={name: mlp, hidden: [8]}", "agent.stream.replay.warmup=50", *words)
    kept = sorted(int(place.name[5:]) for place in (tmp_path / "runs/mine").glob("*/step_*"))
    first, last = kept[0], kept[-1]
    assert first < last
    said = sandbox("evaluate", f"mine@{first}", "--episodes", "2").out
    assert f"step                {first}\n" in said
    assert not (tmp_path / "runs/mine/evaluation.json").exists()  # it is not the result of the run
    assert sandbox("watch", f"latest@{first}", "--video", "x.gif", "--episodes", "1").code == 0
    assert sandbox("evaluate", "mine@7").err.endswith(
        f"error: mine has no checkpoint of step 7. It has: {', '.join(map(str, sorted(set(kept))))}.\n"
    )
    for words in (["resume"], ["export"], ["report"], ["show"]):
        said = sandbox(*words, f"mine@{first}")
        assert said.code == 2
        assert f"takes a run, not a checkpoint: give mine without @{first}" in said.err, words
