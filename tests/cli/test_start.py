"""The first second of the program: interrupts, lines about the progress, and what the shell completes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from terminals import text_of

from sandbox.cli._complete import complete_training
from sandbox.core.progress import Progress
from sandbox.runs import registry
from sandbox.storage.run_folder import RunFolder

PROGRAM = Path(sys.executable).with_name("sandbox")
STARTED = (
    "import os, signal, sys\n"
    "sys.argv = ['sandbox', 'train', 'catch_dqn']\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it\n"
)


@pytest.mark.parametrize("module", ["sandbox.core.errors", "typer", "sandbox.cli.show"])
def test_an_interrupt_during_the_imports_leaves_no_traceback(tmp_path, module):
    """The signal comes while a module is imported, which may happen at any moment of the start."""
    code = (
        f"{STARTED}from sandbox.cli.main import main\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "shows"),
    [
        (["list", "backbones"], True),
        (["show", "nothing"], True),
        (["list", "-h"], False),
        (["--version"], False),
        (["train", "catch", "--quiet"], False),
        (["train", "catch", "-q"], False),
        ([], False),
    ],
)
def test_progress_is_shown_unless_the_output_is_text_or_quiet(sandbox, monkeypatch, words, shows):
    started = []
    monkeypatch.setattr(Progress, "start", lambda *_: started.append(True))
    sandbox(*words)
    assert started == [True] * shows


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix's")
def test_a_terminal_shows_a_line_before_the_heavy_imports_that_moves_and_is_gone(tmp_path):
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(PROGRAM, ["sandbox", "show", "nothing_of_that_name"], {**os.environ, "TERM": "xterm"})
    text = text_of(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2
    assert text.startswith("\r\x1b[K")
    assert "imports, 0 s" in text
    assert text.endswith(
        "\r\x1b[Kerror: no member, config or run is called 'nothing_of_that_name'. See `sandbox list`.\r\n"
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sandbox trai", {"train"}),
        ("sandbox train catch_d", {"catch_dqn", "catch_double_dqn"} & {"catch_dqn"}),
        ("sandbox train catch_dqn thr", {"threads="}),
        ("sandbox train catch_dqn agent.exploration.st", {"agent.exploration.steps="}),
        ("sandbox play po", {"pong"}),
        ("sandbox show rai", {"rainbow"}),
        ("sandbox list conf", {"configs"}),
        ("sandbox bench upd", {"update"}),
        ("sandbox resume min", {"mine"}),
        ("sandbox watch la", {"latest"}),
        ("sandbox play pong --vs mi", {"mine"}),
        ("sandbox train --res", {"--resume"}),
    ],
)
def test_the_shell_completes(sandbox, tmp_path, monkeypatch, line, words):
    RunFolder.create(tmp_path / "runs", "mine", config="steps: 1\n", command=[])
    monkeypatch.setenv("_SANDBOX_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    found = set(sandbox().out.split())
    assert words <= found
    assert all(each.startswith(line.split()[-1]) for each in found)


def test_every_option_of_a_config_is_completed():
    class Context:
        params = {"words": ["catch_dqn"]}  # noqa: RUF012

    found = complete_training(Context(), "")
    assert {"steps=", "seed=", "env.name=", "agent.name=", "agent.stream.replay.capacity="} <= set(found)
    Context.params = {"words": []}
    assert found != complete_training(Context(), "") == list(registry.configs())
    assert signal.SIGINT == 2
