"""Background work during an update."""

import threading

import pytest

from sandbox.core.background import InlineRunner, ThreadRunner


def test_inline_does_it_at_once():
    done = []
    background = InlineRunner()
    background.start(lambda: done.append(threading.current_thread()))
    assert done == [threading.current_thread()]
    background.wait()


def test_threaded_goes_on_next_to_the_caller_until_it_waits():
    go, done = threading.Event(), []
    background = ThreadRunner()
    background.start(lambda: done.append(go.wait(10)))
    assert done == []  # it waits for us: were it not beside us, this line would never be reached
    go.set()
    background.wait()
    assert done == [True]
    background.wait()


def test_threaded_hands_over_what_the_work_raised_once():
    background = ThreadRunner()
    background.start(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        background.wait()
    background.wait()
