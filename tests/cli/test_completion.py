"""Completion as the shells ask for it: words in the environment of the program, answers on its standard output."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from completion import MEMBER, answers, of_bash, of_zsh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.storage.run_folder import RunFolder

PROGRAM = Path(sys.executable).with_name("sandbox")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run with checkpoints in the working folder."""
    monkeypatch.chdir(tmp_path)
    run = RunFolder.create(tmp_path / "runs", "mine", config="env: {name: catch}\nagent: {name: dqn}\n", command=[])
    for place in ("checkpoints/step_000000000600", "snapshots/step_000000000200", "snapshots/step_000000000600"):
        (run.path / place).mkdir(parents=True)
    return run


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("trai", ["train"]),
        ("train catch_dq", ["catch_dqn"]),
        ("train own.y", ["own.yaml"]),
        ("train --res", ["--resume"]),
        ("train --mem", ["--members"]),
        ("train --tru", ["--trust"]),
        ("train catch_dqn thr", ["threads=", "threads=1"]),
        ("sweep catch_dqn thr", ["threads=", "threads=1"]),
        ("train catch_dqn dev", ["device=", "device=auto", "device=cpu", "device=cuda"]),
        ("train catch_dqn device=", ["device=auto", "device=cpu", "device=cuda"]),
        ("train catch_dqn logger.wandb=of", ["logger.wandb=offline", "logger.wandb=off"]),
        ("train catch_dqn agent.exploration.st", ["agent.exploration.start=", "agent.exploration.steps="]),
        ("train catch_dqn agent.exploration.ba", ["agent.exploration.base=", "agent.exploration.base=0.4"]),
        ("train catch_dqn agent.name=dq", ["agent.name=dqn"]),
        ("train catch_dqn agent.backbone.name=n", ["agent.backbone.name=nature"]),
        ("train catch_dqn agent.backbone.name=mlp agent.backbone.fou", ["agent.backbone.fourier_octaves=", ...]),
        ("train catch_dqn agent.backbone.fou", ["agent.backbone.fourier_octaves=", ...]),
        ("train catch_dqn agent.discount=", ["agent.discount=0.99"]),
        ("train catch_dqn agent.discount=0.5 agent.discount=", ["agent.discount=0.5"]),
        ("train catch_dqn env.blind=", ["env.blind=true", "env.blind=false"]),
        ("train catch_dqn encoder_from=la", ["encoder_from=latest"]),
        ("train catch_dqn demos=own.y", ["demos=own.yaml"]),
        ("train env.name=atari env.game=br", ["env.game=breakout"]),
        ("train flicker_pong_dqn env.wrappers.", ["env.wrappers.flicker.p=", ...]),
        ("train digits_vae data.name=mn", ["data.name=mnist"]),
        ("train own.yaml agent.discount=", ["agent.discount=0.7"]),
        ("train broken.yaml see", ["seed=", "seed=0"]),
        ("train catch_dqn broken.yaml ]=3 agent.discount=", ["agent.discount=0.99"]),
        ("train --steps 5 catch_dq", ["catch_dqn"]),
        ("play po", ["pong"]),
        ("play atari game=br", ["game=breakout"]),
        ("play gym id=CartPole", ["id=CartPole-v0", "id=CartPole-v1"]),
        ("play catch bli", ["blind=", "blind=true", "blind=false"]),
        ("play pong --vs mi", ["mine"]),
        ("show rai", ["rainbow"]),
        ("show env.cat", ["env.catch"]),
        ("show agent.dq", ["agent.dqn"]),
        ("show wrapper.fl", ["wrapper.flicker"]),
        ("show backbone.ml", ["backbone.mlp"]),
        ("show mi", ["mine"]),
        ("show catch_dqn agent.disc", ["agent.discount=", "agent.discount=0.99"]),
        ("show dqn agent.disc", []),
        ("list conf", ["configs"]),
        ("list agents a", []),
        ("bench upd", ["update"]),
        ("check rai", ["rainbow"]),
        ("check dqn agent.disc", ["agent.discount=", "agent.discount=0.99"]),
        ("new ", ["agent", "env", "generator"]),
        ("resume min", ["mine"]),
        ("resume mine st", ["steps="]),
        ("resume mine data.root=ru", ["data.root=runs/", "data.root=runs/mine/", ...]),
        ("watch la", ["latest"]),
        ("watch mine@", ["mine@200", "mine@600"]),
        ("watch latest@2", ["latest@200"]),
        ("watch runs/mine@6", ["runs/mine@600"]),
        ("watch none@", []),
        ("evaluate mine env.bl", ["env.blind=", "env.blind=true", "env.blind=false"]),
        ("evaluate mine agent.", ["agent.evaluation_epsilon=", "agent.evaluation_epsilon=0.0"]),
        ("evaluate mine thr", ["threads=", "threads=0"]),
        ("evaluate mine see", []),
        ("evaluate mine --vary env.ob", ["env.observe=", "env.observe=pixels", "env.observe=features"]),
        ("runs di", ["diff"]),
        ("runs diff la", ["latest"]),
        ("runs state=", ["state=running", "state=stopped", "state=finished"]),
        ("report env=grid", ["env=grid_world"]),
        ("report mi", ["mine"]),
        ("report rat", ["rates"]),
        ("--members own.py train agent.name=own", ["agent.name=own"]),
    ],
)
def test_a_line_is_completed(run, line, found):
    Path("own.yaml").write_text("env: {name: catch}\nagent: {name: dqn, discount: 0.7}\n")
    Path("broken.yaml").write_text("agent: [}\n")
    Path("own.py").write_text(MEMBER)
    Path("runs/sweeps/rates").mkdir(parents=True)
    Path("runs/sweeps/rates/sweep.json").write_text("{}")
    got = of_bash(*line.split(" "))
    if found[-1:] == [...]:
        assert got[: len(found) - 1] == found[:-1]
    else:
        assert sorted(got) == sorted(found)


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        (["train", "catch_dqn", "device", "="], ["auto", "cpu", "cuda"]),
        (["train", "catch_dqn", "device", "=", "cu"], ["cuda"]),
        (["train", "catch_dqn", "device", "=", '"cu'], ["cuda"]),
        (["train", "catch_dqn", "'device=cu"], ["device=cuda"]),
        (["train", "catch_dqn", "agent.name", "=", "random", "seed", "=", "3", "ev"], ["evaluate_period=", ...]),
        (["train", "catch_dqn", "seed", "=", ""], ["steps=", ...]),
        (["watch", "mine", "@"], ["@200", "@600"]),
        (["watch", "mine", "@", "2"], ["@200"]),
        (["train", "catch_dqn", "encoder_from", "=", "mine", "@", "2"], ["@200"]),
        (["train", "--members", "=", "own"], ["own.py"]),
        (["train", "--members", "=", "own.py", "agent.name", "=", "ow"], ["own"]),
    ],
)
def test_bash_breaks_words(run, parts, found):
    Path("own.py").write_text(MEMBER)
    got = of_bash(*parts)
    assert got[: len(found) - 1] == found[:-1] if found[-1] is ... else got == found


def test_bash_and_zsh_ask_the_installed_program(program, tmp_path, monkeypatch):
    """Bash runs the script that `--install-completion` writes, once for each line."""
    monkeypatch.setenv("PATH", f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("_SANDBOX_COMPLETE", "source_bash")
    script = program().out
    lines = {"(sandbox train catch_dq)": "catch_dqn", "(sandbox train catch_dqn device = cu)": "cuda"}
    for words, found in lines.items():
        ask = (
            f"COMP_WORDS={words}; COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _sandbox_completion sandbox; echo $COMPREPLY"
        )
        if shutil.which("bash"):
            done = subprocess.run(
                ["bash", "-c", f"complete() {{ :; }}\n{script}\n{ask}"], capture_output=True, text=True
            )
            assert (done.stdout, done.stderr) == (f"{found}\n", "")
    monkeypatch.setenv("_SANDBOX_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "sandbox play po")
    assert program() == (0, "_arguments '*: :((\"pong\"))'\n", "")


def test_zsh_and_fish_get_whole_words(run):
    assert of_zsh("train catch_dqn device=cu") == ["_arguments '*: :((\"device=cuda\"))'"]
    assert of_zsh("watch mine@2") == ["_arguments '*: :((\"mine@200\"))'"]
    assert of_zsh("watch nothing") == ["_files"]
    with mock.patch.dict(os.environ, {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}):
        assert of_zsh("train catch_dqn device=c", "fish") == ["device=cpu", "device=cuda"]


def test_paths_of_members_are_completed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("own/agents/one.py", "own/two.py", "other.py", "notes.txt", ".hidden.py", "a b.py", "x$(y).py"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    assert of_bash("train", "--members", "") == ["other.py", "own/"]
    assert of_bash("list", "--members", "ow") == ["own/", "own/agents/", "own/two.py"]
    assert of_bash("--members", "own/t") == ["own/two.py"]
    assert of_bash("nonsense", "--members", f"{tmp_path}/oth") == [f"{tmp_path}/other.py"]
    assert of_bash("train", "--members", ".") == [".hidden.py"]
    assert of_bash("train", "--trust", "") == []


WORDS = (
    "train show play evaluate runs list check --members --runs --members= --steps -- - catch_dqn dqn = @ agent. diff "
    "device= agent.name= mine latest@ mine@ broken.yaml folder.yaml bytes.yaml loop ' \" \\ [ env.wrappers.0. ~ ~no/ /"
)


@pytest.fixture(scope="module")
def odd_folder(tmp_path_factory):
    """A working folder in which everything is broken."""
    folder = tmp_path_factory.mktemp("odd")
    RunFolder.create(folder / "runs", "mine", config="agent: [}", command=[])
    for name, text in {
        "broken.yaml": "agent: [}\n",
        "bytes.yaml": "\udcff\udc80",
        "runs/broken/run.json": '{"id": ',
        "runs/list/run.json": "[[[[",
        "runs/x'; echo $(id); '/run.json": '{"id": "1"}',
        "runs/mine/checkpoints": "no folder",
        "members/agents/broken.py": "class (",
        "members/bytes.py": "\udcff",
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8", "surrogateescape")
    (folder / "folder.yaml").mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "members/loop.py").symlink_to("loop.py")
    (folder / "closed").mkdir(mode=0)
    return folder


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shell=st.sampled_from(["bash", "zsh", "fish", "powershell"]),
    words=st.lists(
        st.sampled_from([*WORDS.split(), "long" * 2_000]) | st.text("abc@=:.'\"\\ \n$(é", max_size=6), max_size=6
    ),
    index=st.integers(-1, 9),
    members=st.sampled_from(["", "members", "loop", "nothing:members", "\udcff"]),
)
def test_no_words_and_no_disk_print_anything_but_answers(odd_folder, monkeypatch, shell, words, index, members):
    monkeypatch.chdir(odd_folder)
    monkeypatch.setenv("SANDBOX_MEMBERS", members)
    line = " ".join(["sandbox", *words])
    variables = {"_TYPER_COMPLETE_ARGS": line, "COMP_WORDS": "\n".join(["sandbox", *words]), "COMP_CWORD": str(index)}
    found = answers({"_SANDBOX_COMPLETE": f"complete_{shell}", **variables})
    if shell == "bash":
        assert not [each for each in found if set(each) & set("'\"$`;()&|<> \\")]


@pytest.mark.parametrize("folder", ["closed", "loop", "broken.yaml", "nothing", "runs"])
def test_a_folder_of_runs_that_cannot_be_read(odd_folder, monkeypatch, folder):
    monkeypatch.chdir(odd_folder)
    for line in (
        ["watch", "--runs", folder, ""],
        ["watch", "--runs", folder, "latest@"],
        ["runs", "--runs", folder, "na"],
    ):
        assert set(of_bash(*line)) <= {"latest", "mine", "name=", "name=mine"}


@pytest.mark.parametrize("moment", ["sandbox.core.output", "sandbox.cli._app", "sandbox.cli._option_tree", "exit"])
def test_an_interrupt_leaves_no_traceback(tmp_path, moment):
    code = (
        "import atexit, os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {moment!r}: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from sandbox.cli.main import main\n"
        f"if {moment == 'exit'}: atexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
        "main()\n"
    )
    variables = {"_SANDBOX_COMPLETE": "complete_bash", "COMP_WORDS": "sandbox train catch_dqn se", "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env={**os.environ, **variables}
    )
    assert done.returncode == -signal.SIGINT
    assert done.stderr == ""


@pytest.mark.parametrize(
    "variables", [{}, {"COMP_WORDS": "sandbox"}, {"COMP_WORDS": "sandbox trai", "COMP_CWORD": "one"}]
)
def test_an_incomplete_question_has_no_answer(program, monkeypatch, variables):
    monkeypatch.setenv("_SANDBOX_COMPLETE", "complete_bash")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = program()
    assert (said.out, said.err) == ("", "")
