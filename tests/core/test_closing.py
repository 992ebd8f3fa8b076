"""Closing at the end of a program: before Python waits for threads, and once."""

import subprocess
import sys

from sandbox.core.closing import close_everything, when_unused


class Owner:
    pass


def test_each_is_closed_once_the_newest_first() -> None:
    closed = list[int]()
    first, second, third = Owner(), Owner(), Owner()
    when_unused(first, closed.append, 1)
    when_unused(second, closed.append, 2)
    close_third = when_unused(third, closed.append, 3)
    close_third()
    close_everything()
    close_everything()
    del first, second, third
    assert closed == [3, 2, 1]


def test_what_is_unused_is_closed_at_once() -> None:
    closed = list[int]()
    owner = Owner()
    when_unused(owner, closed.append, 1)
    del owner
    assert closed == [1]


PROGRAM = """
import threading
from sandbox.core.closing import close_everything, when_unused
class Owner: pass
owner, end = Owner(), threading.Event()
threading.Thread(target=end.wait).start()
when_unused(owner, end.set)
close_everything()
"""


def test_a_program_with_a_waiting_thread_ends() -> None:
    assert subprocess.run([sys.executable, "-c", PROGRAM], timeout=60, check=False).returncode == 0
