"""The line of progress while the interpreter is held."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

HELD = """
import ctypes, sys, time
from sandbox.core.progress import progress
from sandbox.core.messages import say
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
        os.execve(sys.executable, [sys.executable, "-c", code], {**os.environ, "TERM": "xterm"})
    return pid, terminal


def text_of(terminal: int, until: bytes = b"\0", seconds: float = 30) -> str:
    """Return what comes to a terminal until the program ends, or a text comes."""
    shown, end = b"", time.monotonic() + seconds
    while until not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 65_536)
            except OSError:  # the program has ended
                break
    return shown.decode()


def test_the_line_moves_while_the_interpreter_is_held_and_never_when_it_is_hidden():
    pid, terminal = on_a_terminal(HELD)
    text = text_of(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    before, after = text.split("said\r\n")
    assert len(re.findall(r"\r\x1b\[K[-\\|/] imports, 0 s", before)) >= 5
    assert before.endswith("\r\x1b[K")
    assert re.fullmatch(r"(\r\x1b\[K([-\\|/] imports, \d s)?)*end\r\n", after)
    assert after.count("imports") <= 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_child_ends_with_the_program(number):
    code = "import time\nfrom sandbox.core.progress import progress\nprogress.start()\ntime.sleep(60)"
    pid, terminal = on_a_terminal(code)
    text_of(terminal, until=b"1 s")
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    (child,) = map(int, children.stdout.split())
    os.kill(pid, number)
    os.waitpid(pid, 0)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the child still runs")
