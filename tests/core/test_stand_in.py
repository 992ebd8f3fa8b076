"""The line of progress while the interpreter is held, and the process that draws it then."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest
from terminals import text_of

from sandbox.core import stand_in
from sandbox.core.stand_in import StandIn

pty = pytest.importorskip("pty")

START = """
import ctypes, os, signal, sys, time
from sandbox.core.messages import say
from sandbox.core.progress import progress
"""
HELD = """
progress.start()
ctypes.PyDLL(None).usleep(1_500_000)  # as the import of a library in C, it keeps the interpreter
say("said")
progress.hide()
ctypes.PyDLL(None).usleep(1_200_000)
progress.stop()
print("end", flush=True)
"""


def on_a_terminal(code: str) -> tuple[int, int]:
    """Start a program on a terminal; return its process and the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-c", START + code], {**os.environ, "TERM": "xterm"})
    return pid, terminal


def code_of(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_the_line_moves_while_the_interpreter_is_held_and_never_when_it_is_hidden():
    pid, terminal = on_a_terminal(HELD)
    text = text_of(terminal)
    assert code_of(pid) == 0
    before, after = text.split("said\r\n")
    assert len(re.findall(r"\r\x1b\[K[-\\|/] imports, 0 s", before)) >= 4
    assert before.endswith("\r\x1b[K")
    assert re.fullmatch(r"(\r\x1b\[K([-\\|/] imports, \d s)?)*end\r\n", after)
    assert after.count("imports") <= 1


def test_a_program_that_stands_still_for_good_has_no_moving_line(monkeypatch):
    monkeypatch.setattr(stand_in, "_LONGEST", 0.5)
    owner, terminal = pty.openpty()
    child = StandIn(terminal, "ab", 0.05)
    with child.turn(b"line"):
        pass
    text = text_of(owner, seconds=2)
    child.close()
    assert 2 <= text.count("line") <= 10
    os.close(owner), os.close(terminal)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_child_ends_with_the_program(number):
    code = "signal.signal(signal.SIGINT, signal.SIG_DFL)\nprogress.start()\nos.write(2, b'ready')\ntime.sleep(60)"
    pid, terminal = on_a_terminal(code)
    text_of(terminal, until=b"ready")
    (child,) = psutil.Process(pid).children()
    os.kill(pid, number)
    assert code_of(pid) == -number
    end = time.monotonic() + 30
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the child still runs"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "before",
    [
        "if os.fork() == 0: time.sleep(20); os._exit(0)\n",  # it holds the same pipe open
        "os.waitpid(-1, os.WNOHANG); os.kill(progress._stand_in._child, 9); os.wait()\n",
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n",
    ],
)
def test_the_program_ends_whatever_happens_to_its_children(before):
    pid, terminal = on_a_terminal(f"progress.start()\n{before}progress.stop()\nos.write(1, b'the end')\nos._exit(3)")
    assert "the end" in text_of(terminal, until=b"the end", seconds=15)
    assert code_of(pid) == 3


def test_results_are_closed_when_the_program_closes_them():
    """Whoever reads them does not wait for the child."""
    code = "progress.start()\nprint('result', flush=True)\nos.close(1)\ntime.sleep(60)"
    owner, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", START + code],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm"},
    )
    assert process.stdout is not None
    began = time.monotonic()
    assert process.stdout.read() == b"result\n"
    assert time.monotonic() - began < 50
    process.kill(), process.wait(), process.stdout.close()
    os.close(owner), os.close(terminal)


def test_without_locks_there_is_no_stand_in(monkeypatch):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", refuse)
    before = psutil.Process().children()
    with pytest.raises(OSError, match="No locks"):
        StandIn(2, "ab", 0.05)
    assert psutil.Process().children() == before
