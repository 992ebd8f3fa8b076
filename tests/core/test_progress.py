"""The line about the progress of the program."""

import io
import re
import threading
import time
from contextlib import contextmanager

import pytest

from sandbox.core.messages import say
from sandbox.core.progress import Progress

START = Progress.start  # conftest keeps all other tests from showing their progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def shown(monkeypatch):
    """Show the progress on a stream in quick motion; the stream's text is returned when a time has passed."""
    monkeypatch.setattr("sandbox.core.progress._TICK", 0.01)
    monkeypatch.setattr("sandbox.core.progress._PATIENCE", 0.02)
    monkeypatch.setattr("sandbox.core.progress._SILENCE", 0.1)
    monkeypatch.setenv("TERM", "xterm")

    @contextmanager
    def run(stream):
        progress = Progress()
        monkeypatch.setattr("sandbox.core.messages.progress", progress)
        START(progress, stream)
        try:
            yield progress
        finally:
            progress.stop()
        assert "progress" not in [thread.name for thread in threading.enumerate()]

    return run


def until(stream, pattern, count=1):
    """Wait until the stream has a text that many times."""
    end = time.monotonic() + 10
    while len(re.findall(pattern, stream.getvalue())) < count:
        assert time.monotonic() < end, stream.getvalue()
        time.sleep(0.01)


def test_a_terminal_shows_one_line_that_moves_and_is_gone_in_the_end(shown):
    with shown(stream := Terminal()) as progress:
        for spinner in (r"\|", "/", "-"):
            until(stream, rf"\r\x1b\[K{spinner} imports, \d s")
        progress.now("training")
        progress.count(4, 10, "steps")
        until(stream, r"training \[#########---------------\] 4 of 10 steps, \d s")
    assert stream.getvalue().endswith("\r\x1b[K")
    assert "\n" not in stream.getvalue()


def test_a_pipe_gets_a_line_per_phase_and_one_after_a_silence(shown):
    with shown(stream := io.StringIO()) as progress:
        with progress.phase("loading data"):
            until(stream, "loading data, 0 s\n")
        with progress.phase("a moment"):
            pass
        progress.now("training")
        progress.count(1_000, 12_000, "steps")
        until(stream, r"training 1,000 of 12,000 steps, \d s\n", count=3)
    assert "a moment" not in stream.getvalue()
    assert "\r" not in stream.getvalue()


def test_a_new_phase_does_not_wait_for_a_silence(shown, monkeypatch):
    with shown(stream := io.StringIO()) as progress:
        monkeypatch.setattr("sandbox.core.progress._SILENCE", 1_000)
        for name in ("loading data", "training"):
            progress.now(name)
            until(stream, f"{name}, ")


def test_a_line_of_text_is_never_mixed_with_the_progress(shown, capsys, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    with shown(stream):
        for number in range(20):
            time.sleep(0.01)
            say(f"text {number}", err=True)
    for number in range(20):
        assert re.search(rf"(^|\n|\x1b\[K)text {number}\n", stream.getvalue())


def test_a_phase_ends_with_an_exception_and_the_one_around_it_goes_on():
    progress = Progress()
    progress.now("training")

    def interrupted():
        with progress.phase("evaluating"):
            progress.now("sampling")
            assert progress.name == "sampling"
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert progress.name == "training"


def test_a_position_is_asked_for_by_the_thread(shown):
    steps = iter(range(1_000))
    with (
        shown(stream := Terminal()) as progress,
        progress.phase("training", position=lambda: next(steps), total=500),
    ):
        until(stream, "of 500 steps", count=4)
    counts = [int(number) for number in re.findall(r"(\d+) of 500 steps", stream.getvalue())]
    assert counts == sorted(set(counts))


def test_hidden_it_writes_nothing(shown):
    with shown(stream := Terminal()) as progress:
        progress.hide()
        before = stream.getvalue()
        time.sleep(0.05)
        assert stream.getvalue() == before
        progress.show(at_once=True)
        assert "imports" in stream.getvalue()


def test_a_closed_stream_is_no_error(shown):
    with shown(stream := Terminal()) as progress:
        until(stream, "imports")
        stream.close()
        progress.now("more")
        time.sleep(0.03)


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_a_name_steers_no_terminal(shown, stream):
    with shown(stream) as progress:
        progress.now("evaluating \x1b[31mred\n\u202e")
        until(stream, r"evaluating \?\[31mred\?\?, \d s")
