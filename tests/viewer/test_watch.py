from pathlib import Path

import numpy as np
import pytest

from envs.catch import CatchConfig
from sandbox.viewer.episode import episodes
from sandbox.viewer.watch import watch


@pytest.fixture
def show(tape, steady):
    """Watch catch while `script` is pressed (None: nothing comes until the time is up); then the window is closed."""

    def run(script, **options):
        tape.script = script
        return list(watch(tape, episodes(steady(1), CatchConfig().make(1), seed=0), fps=16.0, **options))

    return run


def steps(tape):
    return [int(shown["step"]) for shown in tape.shown]


def test_it_shows_every_step_and_goes_on(tape, show):
    ends = show([None] * 12)
    assert steps(tape) == [*range(10), 0, 1, 2]
    assert [(end.seed, end.step, end.ended) for end in ends] == [(0, 9, True), (1, 2, False)]
    assert [shown["banner"] for shown in tape.shown] == [""] * 9 + [f"return {ends[0].return_:g}"] + [""] * 3


def test_steps_take_their_time_and_an_end_stays(tape, show):
    show([None] * 4)
    assert tape.now == 4 / 16
    tape.now = 0.0
    show([None] * 10, hold=2.0)
    assert tape.now == 9 / 16 + 2.0


def test_the_time_an_agent_thinks_does_not_slow_the_show(tape, show, steady, monkeypatch):
    def think(self, observations, state, *, explore):
        tape.now += 1 / 64
        return np.ones(1, np.int64), state

    monkeypatch.setattr(steady, "act", think)
    show([None] * 8)
    assert tape.now == 8 / 16 + 1 / 64  # the last agent step has no frame time after it


def test_pause_holds_and_goes_on(tape, show):
    show([None, "space", None, None, None, "space", None, None])
    assert steps(tape) == [0, 1, 1, 1, 2, 3]
    assert [shown["speed"] for shown in tape.shown] == ["16/s", "16/s", "paused", "16/s", "16/s", "16/s"]


def test_a_pause_does_not_keep_the_machine_busy(tape, show):
    show(["space", *[None] * 10])
    assert tape.now > 1.0


def test_single_steps(tape, show):
    show([None, "right", None, "n", None, "right", "n", None])
    assert [(int(shown["step"]), shown["speed"]) for shown in tape.shown[-3:]] == [
        (3, "paused"),
        (4, "paused"),
        (5, "paused"),
    ]
    assert steps(tape) == [0, 1, 1, 2, 3, 4, 5]


def test_speed(tape, show):
    show(["+", "=", "[+]", "-", "[-]", "-"])
    assert [shown["speed"] for shown in tape.shown] == ["16/s", "20/s", "25/s", "30/s", "25/s", "20/s", "15/s"]


def test_speed_has_ends(tape, show):
    show(["+"] * 30 + ["-"] * 40)
    assert tape.shown[30]["speed"] == "240/s"
    assert tape.shown[-1]["speed"] == "1/s"


def test_restart_takes_the_next_seed(tape, show):
    ends = show([None, None, "r", None, "q"])
    assert [(end.seed, end.step, end.ended) for end in ends] == [(0, 2, False), (1, 1, False)]


def test_a_screenshot_is_saved_and_named(tape, show):
    show(["s", None, "r"], folder=Path("pictures"))
    assert tape.saved == 1
    assert [shown.get("saved") for shown in tape.shown] == [None, *["screenshot-001.png"] * 2, None]


def test_a_screenshot_that_cannot_be_saved_does_not_end_the_show(tape, show):
    def full(folder):
        raise OSError("No space left on device")

    tape.save = full
    show(["s", None, None])
    assert tape.shown[-1]["not saved:"] == "No space left on device"
    assert steps(tape)[-1] == 2


def test_it_ends_with_the_episodes(tape, steady):
    tape.script = [None] * 10
    plays = episodes(steady(1), CatchConfig().make(1), seed=0)
    assert [end.step for end in watch(tape, [next(plays)])] == [9]
