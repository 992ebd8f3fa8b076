"""The console sink."""

import io
import math
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.logger.console import LiveConsole, PlainConsole, SilentConsole, console, sparkline


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_display_suits_the_stream(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # colors do not make a pipe a terminal
    assert isinstance(console(10, stream=io.StringIO()), PlainConsole)
    assert isinstance(console(10, stream=Terminal()), LiveConsole)
    assert isinstance(console(10, quiet=True, stream=Terminal()), SilentConsole)


def test_plain_lines():
    stream = io.StringIO()
    sink = PlainConsole(500, stream, period=0.0)
    sink.write(100, {"env/return": 0.5, "loss": 0.123456})
    assert stream.getvalue() == "step=100/500 env/return=0.5 loss=0.1235\n"  # at once, not at the end
    sink.write(200, {"loss": math.nan})
    sink.media(200, "video", Path("videos/a.mp4"))
    sink.checkpoint(200, Path("checkpoints"))
    sink.close({})
    assert stream.getvalue().splitlines()[1:] == ["step=200/500 loss=nan", "step=200/500 video=videos/a.mp4"]


def test_plain_lines_are_few_but_the_last_is_never_lost():
    stream = io.StringIO()
    sink = PlainConsole(5, stream, period=math.inf)
    for step in range(1, 6):
        sink.write(step, {"loss": float(step)})
    assert stream.getvalue().splitlines() == ["step=1/5 loss=1"]
    sink.close({})
    sink.close({})
    assert stream.getvalue().splitlines() == ["step=1/5 loss=1", "step=5/5 loss=5"]


def test_plain_lines_do_not_wait_in_a_buffer(tmp_path):
    log = tmp_path / "log.txt"
    with log.open("w") as stream:
        sink = PlainConsole(5, stream)
        sink.write(1, {"loss": 1.0})
        assert log.read_text() == "step=1/5 loss=1\n"
        sink.media(1, "video", Path("a.mp4"))
        assert log.read_text() == "step=1/5 loss=1\nstep=1/5 video=a.mp4\n"


def test_quiet_prints_nothing(capfd):
    sink = console(5, quiet=True)
    sink.write(1, {"loss": 1.0})
    sink.media(1, "video", Path("a.mp4"))
    sink.checkpoint(1, Path("checkpoints"))
    sink.close({})
    assert capfd.readouterr() == ("", "")


def test_piped_lines_come_while_the_run_goes_on_and_leave_standard_output_alone():
    code = (
        "from sandbox.logger.console import console\n"
        "sink = console(9)\n"
        "sink.write(1, {'loss': 0.5})\n"
        "print('runs/mine', flush=True)\n"
        "input()\n"
        "sink.close({})\n"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr.readline() == "step=1/9 loss=0.5\n"  # the process still waits for its input
        out, err = process.communicate("\n")
    assert (out, err) == ("runs/mine\n", "")


def test_live_shows_progress_metrics_and_puts_the_cursor_back(capfd):
    stream = io.StringIO()
    sink = LiveConsole(200, Console(file=stream, force_terminal=True, width=100, color_system=None))
    sink.write(50, {"time/x[y]": 3.0, "env/return": 0.0})
    sink.write(100, {"env/return": 1.0, "loss": 0.25})
    sink.media(100, "video", Path("videos/a[b].mp4"))
    print("result")  # standard output is not redirected around the display
    sink.close({})
    text = stream.getvalue()
    last = text[text.rindex("video at step 100: videos/a[b].mp4") :]
    for shown in ("100/200", "steps", "env/return", "▁█", "loss", "0.25", "time/x[y]"):
        assert shown in last
    assert last.index("env/return") < last.index("time/x[y]")  # the curve that matters comes first
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # shown again after it was hidden
    assert capfd.readouterr() == ("result\n", "")


def test_live_is_silent_before_the_first_line_and_closes_anyway():
    stream = io.StringIO()
    LiveConsole(200, Console(file=stream, force_terminal=True)).close({})
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("values", "width", "expected"),
    [
        ([], 8, ""),
        ([5.0], 8, "▁"),
        ([2.0, 2.0], 8, "▁▁"),
        ([0, 1, 2, 3, 4, 5, 6, 7], 8, "▁▂▃▄▅▆▇█"),
        ([0, 0, 7, 7, 3, 3], 3, "▁█▄"),
        ([0, 1, 2, 10, 12], 2, "▁█"),
        ([math.nan, 0.0, math.inf, 1.0], 8, "▁█"),
    ],
)
def test_sparkline_by_hand(values, width, expected):
    assert sparkline(values, width) == expected
