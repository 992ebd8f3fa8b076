import json

import pytest

from sandbox.bench import _measure
from sandbox.bench._measure import Row, rates


def test_the_bench_of_environments_says_both_sides_and_the_machine(sandbox, monkeypatch):
    monkeypatch.setattr(_measure, "ROUNDS", 1)
    monkeypatch.setattr("sandbox.catalog.names", lambda family: ["catch", "gym"])
    monkeypatch.setattr(_measure, "_rate", lambda side: side())
    said = json.loads(sandbox("bench", "envs", "--json").out)
    assert list(said) == ["bench", "machine", "rows"]
    assert [row["what"] for row in said["rows"]] == [
        "catch, 4096 x features",
        "catch, 256 x pixels",
        "catch, 64 x features, against SyncVectorEnv",
    ]
    assert said["rows"][2] == {"what": said["rows"][2]["what"], "unit": "steps/s", "ours": 64, "theirs": 64, "ratio": 1}


def test_rates_are_medians_of_turns(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(_measure, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(_measure, "SECONDS", 1.5)
    fast, slow = iter([0, 30, 10, 20, 40, 50]), iter([0, 1, 1, 100, 1, 1])  # the first call warms up
    assert rates(lambda: next(fast), lambda: next(slow)) == [15.0, 0.5]


def test_what_can_be_measured(sandbox):
    assert [line.split()[0] for line in sandbox("bench").out.splitlines()] == ["atari", "envs"]
    said = sandbox("bench", "env")
    assert (said.code, said.err) == (2, "error: no bench is called 'env'. Did you mean 'envs'? Known: atari, envs.\n")


def test_a_row_without_a_peer_has_no_ratio():
    assert Row("x", "steps/s", 4.0).ratio is None
    assert Row("x", "steps/s", 4.0, 2.0).ratio == pytest.approx(2.0)
