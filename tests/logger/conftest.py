"""Weights & Biases runs for tests, without login and without a server."""

import json
import os
import struct

import pytest
import wandb
from wandb.proto import wandb_internal_pb2 as pb

from sandbox.logger.weights_and_biases import WeightsAndBiases

ADDRESS = "http://127.0.0.1:9"  # the discard port: nothing answers, nothing leaves the machine


@pytest.fixture
def logged_out(tmp_path, monkeypatch):
    """Set up W&B without a user and with a dead server, whose address is the fixture."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NETRC", str(home / "netrc"))
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(home / name.lower()))
    monkeypatch.setenv("WANDB_BASE_URL", ADDRESS)
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    wandb.teardown()
    yield ADDRESS
    wandb.teardown()


@pytest.fixture
def make(tmp_path, logged_out):
    """Make a sink for the run folder `tmp_path/run`."""

    def sink(mode="offline", **changes):
        given = {"project": "mine", "name": "catch-1", "folder": tmp_path / "run", "config": {"agent": {"name": "dqn"}}}
        given["folder"].mkdir(exist_ok=True)
        return WeightsAndBiases(mode, **(given | changes))

    return sink


@pytest.fixture
def records():
    """Read the records that W&B keeps in a run folder."""
    return _records


@pytest.fixture
def pieces():
    """Read the records of each offline piece of a run, in order of time."""
    return lambda folder: [_read(path) for path in _files(folder)]


@pytest.fixture
def history():
    """Read the rows that were logged to W&B in a run folder."""

    def rows(folder):
        found = [r.history for r in _records(folder) if r.WhichOneof("record_type") == "history"]
        return [
            {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in row.item} for row in found
        ]

    return rows


def _records(folder):
    (path,) = _files(folder)
    return _read(path)


def _files(folder):
    wandb.teardown()  # as at the end of a process; otherwise W&B may not have written the last block yet
    return sorted(folder.glob("wandb/offline-run-*/run-*.wandb"))


def _read(path):
    """Parse the file of an offline run: protobuf records in LevelDB's log format, blocks of 32 KiB after 7 bytes."""
    data = path.read_bytes()
    at = 7
    found = []
    part = b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        part += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            found.append(pb.Record.FromString(part))
            part = b""
    return found
