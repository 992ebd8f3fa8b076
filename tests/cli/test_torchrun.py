"""One run in two processes: the same numbers, one writer, another number of processes on resume, one end for all."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from launched import CONTEXT, Launched
from launched import _run as run_here
from tiny_runs import TINY, metrics

WORDS = [*TINY, "evaluate_period=300", "evaluate_episodes=2"]


def started(rank: int, port: int, folder: str, words: tuple[str, ...]) -> None:
    """Run a command line as torchrun starts it."""
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "none",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    run_here(folder, words, f"{folder}/.out{rank}", f"{folder}/.err{rank}")


class Pair:
    """A command line in two processes."""

    def __init__(self, folder: Path, *words: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._folder = folder
        self.both = [CONTEXT.Process(target=started, args=(rank, port, str(folder), words)) for rank in range(2)]
        for process in self.both:
            process.start()

    def wait(self) -> list[tuple[int | None, str, str]]:
        """Return exit code, output and errors of each process."""
        for process in self.both:
            process.join(100)
        texts = [[(self._folder / f".{kind}{rank}").read_text() for kind in ("out", "err")] for rank in range(2)]
        return [(process.exitcode, out, err) for process, (out, err) in zip(self.both, texts, strict=True)]

    def kill(self) -> None:
        for process in self.both:
            process.kill()
            process.join()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run in one process."""
    folder = tmp_path_factory.mktemp("alone")
    code, _, errors = Launched(folder, "train", *WORDS, "name=run").wait()
    assert code == 0, errors
    return folder / "runs" / "run"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Pair]]:
    """The pairs that a test starts."""
    pairs: list[Pair] = []
    yield pairs
    for each in pairs:
        each.kill()


def numbers(run: Path) -> list[dict]:
    # The share of dead units is that of the first process's rows.
    return [{key: value for key, value in row.items() if "units" not in key} for row in metrics(run)]


def assert_same(run: Path, other: Path) -> None:
    """Check that two logs are equal but for rounding, which the steps of Adam enlarge."""
    rows, others = numbers(run), numbers(other)
    assert [set(row) for row in rows] == [set(row) for row in others]
    for row, expected in zip(rows, others, strict=True):
        np.testing.assert_allclose(list(row.values()), [expected[key] for key in row], rtol=1e-3, atol=1e-4)


def test_two_processes_give_the_numbers_of_one_and_the_first_alone_writes(
    tmp_path: Path, alone: Path, pair: list[Pair]
) -> None:
    pair.append(Pair(tmp_path, "train", *WORDS, "name=run"))
    (code, out, errors), (other_code, other_out, other_errors) = pair[0].wait()
    assert (code, other_code) == (0, 0), errors + other_errors
    assert out.splitlines()[-1] == "runs/run"
    assert not other_out
    assert all(line.startswith("imports") for line in other_errors.splitlines())
    assert_same(tmp_path / "runs" / "run", alone)


@pytest.mark.parametrize("first", [1, 2])
def test_another_number_of_processes_goes_on(first: int, tmp_path: Path, alone: Path, pair: list[Pair]) -> None:
    begin, go_on = ("train", *WORDS, "name=run", "steps=300", "keep_replay=true"), ("resume", "run", "steps=600")
    for count, words in ((first, begin), (3 - first, go_on)):
        if count == 2:
            pair.append(Pair(tmp_path, *words))
            assert [code for code, _, _ in pair[-1].wait()] == [0, 0]
        else:
            assert Launched(tmp_path, *words).wait()[0] == 0
    assert_same(tmp_path / "runs" / "run", alone)


def until_it_logs(run: Path) -> None:
    end = time.monotonic() + 60
    while not (run / "metrics.jsonl").exists():
        assert time.monotonic() < end
        time.sleep(0.05)


ENDLESS = ("train", *TINY, "name=run", "steps=10_000_000", "checkpoint_period=1_000")


def test_a_signal_to_one_process_saves_and_stops_all(tmp_path: Path, pair: list[Pair]) -> None:
    pair.append(Pair(tmp_path, *ENDLESS))
    until_it_logs(tmp_path / "runs" / "run")
    os.kill(pair[0].both[1].pid or 0, signal.SIGTERM)
    (code, out, _), (other_code, _, _) = pair[0].wait()
    assert (code, other_code) == (0, 0)
    assert out.splitlines()[-1] == "runs/run"
    assert json.loads((tmp_path / "runs" / "run" / "summary.json").read_text())["finished"] is False


def test_a_dead_process_ends_all_with_a_message(tmp_path: Path, pair: list[Pair]) -> None:
    pair.append(Pair(tmp_path, *ENDLESS))
    until_it_logs(tmp_path / "runs" / "run")
    pair[0].both[1].kill()
    (code, _, errors), _ = pair[0].wait()
    assert code == 2
    assert errors.splitlines()[-1] == (
        "error: another process of this training has ended, so this one ends, too. Its own message says why. "
        "Go on from the newest checkpoint: give the same command with `resume RUN` in place of `train ...`."
    )


def test_a_mistake_is_reported_once(tmp_path: Path, pair: list[Pair]) -> None:
    pair.append(Pair(tmp_path, "train", *TINY, "agent.stream.batch_size=33"))
    (code, _, errors), (other_code, _, other_errors) = pair[0].wait()
    assert (code, other_code) == (2, 1)
    assert errors.splitlines()[-1] == (
        "error: 2 processes cannot have equal shares of agent.stream.batch_size=33. Start 3 (torchrun "
        "--nproc-per-node 3), or set agent.stream.batch_size=34."
    )
    assert "error" not in other_errors


@pytest.mark.attack
def test_torchrun_itself(tmp_path: Path, alone: Path) -> None:
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "sandbox"]
    subprocess.run([*words, "train", *WORDS, "name=run"], cwd=tmp_path, check=True, capture_output=True, timeout=200)
    assert_same(tmp_path / "runs" / "run", alone)
