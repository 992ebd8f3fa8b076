"""The loop against a tape of events."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.training.loop import Averages, Run, train


class Ticks:
    """A stream whose step grows by 4."""

    def __init__(self) -> None:
        self.step = 0

    def __next__(self) -> int:
        self.step += 4
        return self.step

    def metrics(self) -> dict[str, float]:
        return {"env/return": 7.0}

    def parts(self) -> dict[str, Any]:
        return {}


class Learns:
    def __init__(self, bad_at: int = -1, bad: float = math.nan) -> None:
        self.bad_at, self.bad = bad_at, bad

    def update(self, batch: int) -> dict[str, Any]:
        return {"loss": torch.tensor(self.bad if batch == self.bad_at else batch)}

    def parts(self) -> dict[str, Any]:
        return {}


class Tape:
    """Writes down what the loop does."""

    def __init__(self, stop_at: int = 10**9, greedy: np.random.Generator | None = None) -> None:
        self.events: list[Any] = []
        self.stop_at, self.calls = stop_at, 0
        self.greedy, self.interrupted = greedy, list[int]()

    def write(self, step: int, metrics: dict[str, float]) -> None:
        metrics.pop("time/steps_per_second", None)
        self.events.append(("write", step, metrics))

    def evaluate(self, step: int) -> dict[str, float] | None:
        score = self.greedy.random() if self.greedy else 1.0
        return None if step in self.interrupted else {"eval/return": score}

    def save_media(self, step: int) -> None:
        self.events.append(("media", step))

    def save(self, step: int, parts: dict[str, Any], *, finished: bool) -> None:
        self.events.append(("save", step, sorted(parts)))

    def dump_batch(self, step: int, batch: Any) -> Path:
        self.events.append(("dump", step, batch))
        return Path("kept")

    def nan_hint(self) -> str:
        return "Try less."

    def stopping(self) -> bool:
        self.calls += 1
        return self.calls >= self.stop_at


def periods(**changes: int) -> Any:
    settings = {"steps": 22, "log_period": 8, "evaluate_period": 0, "media_period": 0, "checkpoint_period": 0}
    return SimpleNamespace(**(settings | changes))


def test_the_tape() -> None:
    tape = Tape()
    run = Run(Learns(), Ticks(), Rng(0))
    assert train(run, periods(evaluate_period=16, media_period=20, checkpoint_period=10), tape)
    assert tape.events == [
        ("write", 8, {"loss": 6.0, "env/return": 7.0}),
        ("save", 12, ["averages", "owed_evaluations", "rng"]),
        ("write", 16, {"loss": 14.0, "env/return": 7.0}),
        ("write", 16, {"eval/return": 1.0}),
        ("media", 20),
        ("save", 20, ["averages", "owed_evaluations", "rng"]),
        ("write", 24, {"loss": 22.0, "env/return": 7.0}),
        ("write", 24, {"eval/return": 1.0}),
        ("save", 24, ["averages", "owed_evaluations", "rng"]),
    ]


@pytest.mark.parametrize("begun", [0, 24])
def test_a_run_ends_at_its_last_step_and_not_one_batch_later(begun: int) -> None:
    tape, run = Tape(), Run(Learns(), Ticks(), Rng(0))
    run.stream.step = begun
    assert train(run, periods(steps=24, log_period=100), tape)
    assert [event[1] for event in tape.events] == ([] if begun else [24, 24])


def test_steps_per_second_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line every 8 steps; the clock shows 10 at the start, then 12, 13 and 17."""
    clock, speeds = iter([10.0, 12.0, 13.0, 17.0]), list[float]()
    monkeypatch.setattr("sandbox.training.loop.time.perf_counter", lambda: next(clock))
    tape = Tape()
    monkeypatch.setattr(tape, "write", lambda step, metrics: speeds.append(metrics["time/steps_per_second"]))
    train(Run(Learns(), Ticks(), Rng(0)), periods(steps=24), tape)
    assert speeds == [4.0, 8.0, 2.0]


def test_a_stop_saves_and_says_so_and_the_rest_is_the_same() -> None:
    whole, tape = Tape(), Tape(stop_at=3)
    train(Run(Learns(), Ticks(), Rng(0)), periods(), whole)
    run = Run(Learns(), Ticks(), Rng(0))
    assert not train(run, periods(), tape)
    assert tape.events[-1] == ("save", 12, ["averages", "owed_evaluations", "rng"])
    tape.stop_at = 10**9
    assert train(run, periods(), tape)
    assert [e for e in tape.events if e[0] == "write"] == [e for e in whole.events if e[0] == "write"]


@pytest.mark.parametrize("cut", [8, 24])
def test_an_evaluation_that_a_stop_cuts_short_is_made_up_for(cut: int) -> None:
    """With the same random numbers, so that the log and all that follows are the uninterrupted run's."""
    rng, again = Rng(0), Rng(0)
    whole, tape = Tape(greedy=rng.numpy("greedy")), Tape(greedy=again.numpy("greedy"))
    assert train(Run(Learns(), Ticks(), rng), periods(evaluate_period=8), whole)
    run = Run(Learns(), Ticks(), again)
    tape.interrupted = [cut]
    assert not train(run, periods(evaluate_period=8), tape)
    assert tape.events[-1] == ("save", cut, ["averages", "owed_evaluations", "rng"])
    assert not train(run, periods(evaluate_period=8), tape)  # stopped once more
    tape.interrupted = []
    assert train(run, periods(evaluate_period=8), tape)
    assert [e for e in tape.events if e[0] == "write"] == [e for e in whole.events if e[0] == "write"]
    assert again.state_dict() == rng.state_dict()
    assert tape.events[-1] == ("save", 24, ["averages", "owed_evaluations", "rng"])


def test_a_finished_run_does_nothing_more() -> None:
    tape, run = Tape(), Run(Learns(), Ticks(), Rng(0))
    run.stream.step = 24
    assert train(run, periods(), tape)
    assert tape.events == []


def test_a_loss_that_is_not_finite_stops_and_dumps_the_batch() -> None:
    tape = Tape()
    with pytest.raises(UserError, match=r"the loss is nan at step 12. The batch is in kept. Try less."):
        train(Run(Learns(bad_at=12), Ticks(), Rng(0)), periods(checkpoint_period=4), tape)
    assert tape.events[-1] == ("dump", 12, 12)
    assert ("save", 12, ["averages", "owed_evaluations", "rng"]) not in tape.events


@pytest.mark.parametrize(("loss", "hopeless"), [(1e30, True), (-math.inf, True), (1e19, False), (-1e19, False)])
def test_a_loss_beyond_all_hope_is_as_bad(loss: float, hopeless: bool) -> None:
    tape = Tape()
    if hopeless:
        with pytest.raises(UserError, match=rf"the loss is {loss:g} at step 12\.".replace("+", r"\+")):
            train(Run(Learns(bad_at=12, bad=loss), Ticks(), Rng(0)), periods(), tape)
    else:
        assert train(Run(Learns(bad_at=12, bad=loss), Ticks(), Rng(0)), periods(), tape)


def test_averages_are_means_since_the_last_line_and_restorable() -> None:
    averages, other = Averages(), Averages()
    averages.add({"loss": torch.tensor(1.0), "x": 2.0, "once": 7.0})
    other.load_state_dict(averages.state_dict())
    for each in (averages, other):
        each.add({"loss": torch.tensor(3.0), "x": 4.0})
        assert each.take() == {"loss": 2.0, "x": 3.0, "once": 7.0}
        assert each.state_dict() == {"sums": {}, "counts": {}}


class Spoilt(Learns):
    """Its loss stays fine; its weights do not."""

    def parts(self) -> dict[str, Any]:
        network = torch.nn.Linear(1, 1)
        torch.nn.init.constant_(network.weight, math.nan)
        return {"network": network}


def test_weights_that_are_not_finite_are_never_saved() -> None:
    tape = Tape()
    with pytest.raises(UserError, match=r"^network.weight has numbers that are not finite at step 24. The batch is in"):
        train(Run(Spoilt(), Ticks(), Rng(0)), periods(), tape)
    assert [event[0] for event in tape.events] == ["write", "write", "dump"]
