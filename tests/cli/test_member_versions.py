"""Own members of one name: which file a run is gone on with, and what is said when it is another one."""

import json
import shutil
from importlib import import_module

import pytest
from own_agent import AGENT, QUIET, TRAIN

from sandbox.runs.own_members import own


def test_two_files_of_one_name_are_not_confused(sandbox, tmp_path, monkeypatch):
    """A run is gone on with by the file that it was trained with, whatever was trained under its name since then."""
    places = [tmp_path / word / "still.py" for word in ("one", "other")]
    for number, place in enumerate(places):
        place.parent.mkdir()
        place.write_text(
            AGENT.replace("np.zeros(len(observations), np.int64)", f"np.full(len(observations), {number})")
        )
        assert sandbox("train", *TRAIN, *QUIET, f"name=run{number}", "--members", str(place)).code == 0
    for number in (0, 1, 0):
        assert sandbox("evaluate", f"run{number}", "--episodes", "2").code == 0
        assert own.of("agents")["still"].file == places[number]
    said = sandbox("evaluate", "run0", "--episodes", "2", "--members", str(places[1]))
    assert said.code == 0
    assert f"note: runs/run0: its agent 'still' was trained with another version of {places[1]}" in said.err
    recorded = json.loads((tmp_path / "runs/run0/run.json").read_text())["members"]["agents/still"]["sha256"]
    assert sandbox("resume", "run0", "--steps", "60", "--members", str(places[1])).code == 0
    assert json.loads((tmp_path / "runs/run0/run.json").read_text())["members"]["agents/still"]["sha256"] != recorded


def test_the_command_of_a_run_names_its_members(sandbox, tmp_path, still):
    assert sandbox("train", *TRAIN, *QUIET, "--members", str(still)).code == 0
    command = json.loads((tmp_path / "runs/mine/run.json").read_text())["command"]
    assert command[-2:] == ["--members", str(still)]  # what was named
    assert sandbox("train", "runs/mine/config.yaml", "name=again").code == 0


def test_a_file_of_the_name_is_offered(sandbox, tmp_path, still):
    shutil.copy(still, tmp_path)
    for words in (["train", *TRAIN], ["show", "still"], ["check", "still"]):
        said = sandbox(*words)
        assert said.code == 2
        assert "There is still.py: add --members still.py." in said.err


def test_an_option_that_is_misspelled(sandbox):
    assert sandbox("train", "catch_dqn", "--member", "x.py").err == (
        "error: there is no option --member. Did you mean '--members'?\n"
    )


@pytest.mark.parametrize("damage", ["7", "[]", '{"agents/still": 3}', '{"agents/still": {"sha256": 5, "package": []}}'])
def test_odd_records_of_members_are_as_if_there_were_none(sandbox, tmp_path, still, damage):
    assert sandbox("train", *TRAIN, *QUIET, "--members", str(still)).code == 0
    info = tmp_path / "runs/mine/run.json"
    info.write_text(json.dumps({**json.loads(info.read_text()), "members": json.loads(damage)}))
    assert sandbox("evaluate", "mine", "--episodes", "2").code == 0


def test_a_package_that_is_missing_is_named(sandbox, tmp_path, monkeypatch, still):
    assert sandbox("train", *TRAIN, *QUIET, "--members", str(still)).code == 0
    info = tmp_path / "runs/mine/run.json"
    card = json.loads(info.read_text())
    card["members"]["agents/still"] = {"sha256": "0" * 64, "package": "their-members 1.2"}
    info.write_text(json.dumps(card))
    assert sandbox("evaluate", "mine").err == (
        "error: runs/mine: its agent 'still' comes from the package 'their-members 1.2', which is not installed here, "
        "and run folders never import code. Install the package if you trust it.\n"
    )


def test_versions_of_one_name_in_one_command_are_refused(sandbox, tmp_path):
    for number in range(2):
        place = tmp_path / str(number) / "still.py"
        place.parent.mkdir()
        place.write_text(f"{AGENT}# {number}\n")
        assert sandbox("train", *TRAIN, *QUIET, f"name=run{number}", "--members", str(place)).code == 0
    said = sandbox("evaluate", "run0", "run1", "--episodes", "2")
    assert said.code == 2
    assert "was trained with another version of its file than" in said.err


def test_helpers_of_one_name_are_refused(sandbox, tmp_path):
    for number in range(2):
        folder = tmp_path / str(number) / "agents"
        folder.mkdir(parents=True)
        (folder / "_common.py").write_text(f"VALUE = {number}\n")
        (folder / f"still{number}.py").write_text(AGENT.replace('"still"', f'"still{number}"'))
    words = [word for number in range(2) for word in ("--members", str(tmp_path / str(number)))]
    said = sandbox("list", *words)
    assert said.code == 2
    assert "two files are sandbox.agents._common: " in said.err


def test_files_near_a_loose_member_are_nothing_to_it(sandbox, tmp_path, still):
    assert sandbox("train", *TRAIN, *QUIET, "--members", str(still)).code == 0
    (still.parent / "_scratch.py").write_text("x = 1\n")
    (still.parent / "_old.py").symlink_to("nowhere")
    (still.parent / "_dir.py").mkdir()
    assert sandbox("evaluate", "mine", "--episodes", "2").code == 0


def test_a_finished_run_keeps_the_record_of_its_member(sandbox, tmp_path, still):
    assert sandbox("train", *TRAIN, *QUIET, "--members", str(still)).code == 0
    recorded = json.loads((tmp_path / "runs/mine/run.json").read_text())["members"]
    still.write_text(f"{AGENT}# changed\n")
    said = sandbox("resume", "mine", "--members", str(still))
    assert "this run is finished" in said.err
    assert json.loads((tmp_path / "runs/mine/run.json").read_text())["members"] == recorded


def test_an_edited_file_that_is_added_again_is_imported_anew(tmp_path):
    file = tmp_path / "thing.py"
    file.write_text("from sandbox.interfaces.agent import AgentConfig\nVALUE = 1\nclass C(AgentConfig): ...\n")
    for value in (1, 2):
        file.write_text(file.read_text().replace(f"VALUE = {3 - value}", f"VALUE = {value}"))
        own.add(file)
        assert value == import_module("sandbox.agents.thing").VALUE


def test_the_environment_of_a_data_set_is_remembered(sandbox, tmp_path):
    assert sandbox("new", "env", "mine").code == 0
    data = "data={name: frames, env: {name: mine}, count: 40}"
    words = [data, "generator={name: autoencoder, stream: {batch_size: 4}}", "steps=4", "name=seen", "logger.wandb=off"]
    assert sandbox("train", *words, "--members", "mine.py").code == 0
    assert json.loads((tmp_path / "runs/seen/run.json").read_text())["members"].keys() == {"envs/mine"}
    assert sandbox("resume", "seen", "--steps", "6").code == 0
    (tmp_path / "mine.py").rename(tmp_path / "other.py")
    assert "its environment 'mine' is unknown here" in sandbox("resume", "seen", "--steps", "8").err
