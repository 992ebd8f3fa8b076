"""Background work during an update."""

import threading

import pytest

from sandbox.core.background import InlineRunner, ThreadRunner


def test_inline_does_it_at_once():
    done = []
    beside = InlineRunner()
    beside.start(lambda: done.append(threading.current_thread()))
    assert done == [threading.current_thread()]
    beside.wait()


def test_threaded_goes_on_beside_the_caller_until_it_waits():
    go, done = threading.Event(), []
    beside = ThreadRunner()
    beside.start(lambda: done.append(go.wait(10)))
    assert done == []  # it waits for us: were it not beside us, this line would never be reached
    go.set()
    beside.wait()
    assert done == [True]
    beside.wait()


def test_threaded_hands_over_what_the_work_raised_once():
    beside = ThreadRunner()
    beside.start(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        beside.wait()
    beside.wait()
