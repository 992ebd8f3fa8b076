"""The first second of the program: interrupts, and lines about the progress."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminals import text_of

from sandbox.core.progress import Progress

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
