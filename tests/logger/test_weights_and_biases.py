import json
import os
import signal
import socket
import struct
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import wandb
from PIL import Image
from wandb.proto import wandb_internal_pb2 as pb

from sandbox.core.errors import UserError
from sandbox.logger.weights_and_biases import WeightsAndBiases

KEY = "0123456789" * 4
ADDRESS = "http://127.0.0.1:9"  # the discard port: nothing answers, nothing leaves the machine


@pytest.fixture(autouse=True)
def nobody_is_logged_in(tmp_path, monkeypatch):
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
    yield
    wandb.teardown()


def make(tmp_path, mode="offline", **changes):
    given = {"project": "mine", "name": "catch-1", "folder": tmp_path / "run", "config": {"agent": {"name": "dqn"}}}
    given["folder"].mkdir(exist_ok=True)
    return WeightsAndBiases(mode, **(given | changes))


def records(folder):
    """What an offline run's file holds: protobuf records in LevelDB's log format, blocks of 32 KiB after 7 bytes."""
    wandb.teardown()  # as at the end of a process: W&B's service writes its last block on its own time
    (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    data, at, found, part = path.read_bytes(), 7, [], b""
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


def history(folder):
    rows = [r.history for r in records(folder) if r.WhichOneof("record_type") == "history"]
    return [{item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in row.item} for row in rows]


def test_offline_writes_history_config_axis_and_an_end(tmp_path, capfd):
    sink = make(tmp_path)
    sink.write(100, {"env/return": 0.5, "loss": 2.0})
    sink.write(50, {"loss": 1.0})  # a resumed run goes back: with W&B's own step this row would be dropped
    sink.close({"eval/return": 0.75})

    rows = [{k: v for k, v in row.items() if not k.startswith("_")} for row in history(tmp_path / "run")]
    assert rows == [{"env/return": 0.5, "loss": 2.0, "step": 100}, {"loss": 1.0, "step": 50}]
    kinds = records(tmp_path / "run")
    (run,) = [r.run for r in kinds if r.WhichOneof("record_type") == "run"]
    assert (run.project, run.display_name) == ("mine", "catch-1")
    assert json.loads(next(u.value_json for u in run.config.update if u.key == "agent")) == {"name": "dqn"}
    axes = [(r.metric.name or r.metric.glob_name, r.metric.step_metric) for r in kinds if r.HasField("metric")]
    assert axes == [("step", ""), ("*", "step")]
    summary = {u.key: u.value_json for r in kinds if r.HasField("summary") for u in r.summary.update}
    assert summary["eval/return"] == "0.75"
    assert [r.exit.exit_code for r in kinds if r.HasField("exit")] == [0]
    assert capfd.readouterr() == ("", "")  # none of W&B's chatter


def test_pictures_and_films_go_as_files(tmp_path):
    sink = make(tmp_path)
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    Image.fromarray(pixels).save(tmp_path / "grid.png")
    (tmp_path / "film.mp4").write_bytes(b"a film")
    sink.media(7, "samples", tmp_path / "grid.png")
    sink.media(8, "videos/eval", tmp_path / "film.mp4")
    sink.close({})
    picture, film = history(tmp_path / "run")
    assert (picture["step"], picture["samples/_type"]) == (7, "image-file")
    assert (film["step"], film["videos/eval/_type"]) == (8, "video-file")
    (kept,) = (tmp_path / "run").glob("wandb/offline-run-*/files/media/**/*.png")
    with Image.open(kept) as image:
        assert np.array_equal(np.asarray(image), pixels)
    (kept,) = (tmp_path / "run").glob("wandb/offline-run-*/files/media/**/*.mp4")
    assert kept.read_bytes() == b"a film"


def test_offline_keeps_the_last_checkpoint_without_the_replay(tmp_path):
    sink = make(tmp_path)
    for step in (10, 20):
        folder = tmp_path / f"step-{step}"
        folder.mkdir()
        for name in ("learner.safetensors", "learner.json", "replay.npz", "manifest.json"):
            (folder / name).write_text(f"{name} {step}")
        sink.checkpoint(step, folder)
    sink.close({})
    (artifact,) = [r.artifact for r in records(tmp_path / "run") if r.HasField("artifact")]
    assert artifact.type == "checkpoint"
    assert sorted(artifact.aliases) == ["latest", "step-20"]
    assert [entry.path for entry in artifact.manifest.contents] == [
        "learner.json",
        "learner.safetensors",
        "manifest.json",
    ]
    staged = [file for file in (tmp_path / "home" / "data").rglob("*") if file.is_file()]
    assert sorted(file.read_text() for file in staged) == [
        "learner.json 20",
        "learner.safetensors 20",
        "manifest.json 20",
    ]


def test_auto_without_a_key_is_offline_and_says_how_to_send(tmp_path, capfd):
    sink = make(tmp_path, "auto")
    where = f"wandb sync {tmp_path}/run/wandb/offline-run-*"
    assert sink.where == where
    sink.write(1, {"loss": 1.0})
    sink.close({})
    assert len(history(tmp_path / "run")) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        "wandb: no Weights & Biases key was found, so this run is kept offline; "
        f"after `wandb login`, send it with: {where}\n"
    )


def test_online_without_a_key_says_what_to_do(tmp_path):
    with pytest.raises(UserError) as caught:
        make(tmp_path, "online")
    assert str(caught.value) == (
        "logger.wandb=online, but no Weights & Biases key was found. "
        "Run `wandb login` or set WANDB_API_KEY, or use logger.wandb=auto, offline or off."
    )


def test_a_key_that_is_none_is_said(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("WANDB_API_KEY", "short")
    with pytest.raises(UserError, match=r"WANDB_API_KEY invalid: API key must have 40\+ characters"):
        make(tmp_path, "online")
    make(tmp_path, "auto").close({})
    assert "so this run is kept offline" in capfd.readouterr().err


def test_auto_goes_offline_when_no_server_answers(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_HTTP_TIMEOUT", "1")
    sink = make(tmp_path, "auto")
    sink.write(1, {"loss": 1.0})
    sink.close({})
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"wandb: Weights & Biases said: Failed to authenticate with {ADDRESS}")
    assert "so this run is kept offline" in line
    assert len(history(tmp_path / "run")) == 1


@pytest.fixture
def server(monkeypatch):
    """A server that takes every key, and the paths it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            answer = json.dumps({"data": {"viewer": {"id": "1", "username": "me", "teams": {"edges": []}}}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_): ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        Thread(target=served.serve_forever).start()
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{served.server_port}")
        yield f"127.0.0.1:{served.server_port}", asked
        served.shutdown()


@pytest.mark.parametrize("mode", ["offline", "auto"])
def test_offline_runs_ask_nobody_not_even_at_their_end(tmp_path, monkeypatch, server, mode):
    monkeypatch.delenv("WANDB_ERROR_REPORTING")  # W&B's own reports would go to the same server
    code = (
        "import sys; from pathlib import Path\n"
        "from sandbox.logger.weights_and_biases import WeightsAndBiases\n"
        "sink = WeightsAndBiases(sys.argv[1], 'mine', 'catch-1', Path(sys.argv[2]), {})\n"
        "sink.write(1, {'loss': 1.0})\n"
        "sink.close({})\n"
    )
    subprocess.run([sys.executable, "-c", code, mode, str(tmp_path)], check=True)
    assert server[1] == []
    assert len(history(tmp_path)) == 1


class Online:
    """Stands for a run that a server has taken."""

    url, name, id, dir = "https://example.org/mine/runs/1", "catch-1", "1", "run/wandb/run-1/files"

    def __init__(self, given, ends=True):
        self.given, self.ends = given, ends
        self.logged, self.summary = [], {}

    def define_metric(self, name, step_metric=None): ...

    def log(self, row):
        self.logged.append(row)

    def log_artifact(self, artifact, aliases):
        self.logged.append(aliases)

    def finish(self):
        if not self.ends:
            raise TimeoutError


@pytest.mark.parametrize("keeper", ["environment", "netrc"])
def test_auto_with_a_key_is_online(tmp_path, monkeypatch, capfd, server, keeper):
    if keeper == "environment":
        monkeypatch.setenv("WANDB_API_KEY", KEY)
    else:
        (tmp_path / "home" / "netrc").write_text(f"machine {server[0]} login user password {KEY}\n")
    started = []
    monkeypatch.setattr(wandb, "init", lambda **given: started.append(Online(given)) or started[-1])
    sink = make(tmp_path, "auto")
    assert started[0].given["mode"] == "online"
    assert sink.where == "https://example.org/mine/runs/1"
    (tmp_path / "step-5").mkdir()
    sink.checkpoint(5, tmp_path / "step-5")
    assert started[0].logged == [["latest", "step-5"]]  # at once: a killed run has then sent what it had
    sink.close({})
    assert len(started) == 1
    assert capfd.readouterr() == ("", "")


def test_an_end_that_takes_too_long_is_given_up_and_said(tmp_path, monkeypatch, capfd, server):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setattr(wandb, "init", lambda **given: Online(given, ends=False))
    make(tmp_path, "online").close({})
    assert capfd.readouterr().err == (
        "wandb: not everything was sent within 120 s; send the rest with: wandb sync run/wandb/run-1\n"
    )


def test_what_goes_wrong_in_the_mirror_does_not_end_the_run(tmp_path, monkeypatch, capfd, server):
    def lost(row):
        raise ConnectionResetError("Connection lost")

    run = Online({})
    run.log = lost
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setattr(wandb, "init", lambda **given: run)
    sink = make(tmp_path, "online")
    sink.write(1, {"loss": 1.0})
    sink.write(2, {"loss": 1.0})
    sink.close({})
    assert capfd.readouterr().err == (
        "wandb: stopped by ConnectionResetError('Connection lost'); "
        "the run goes on without it, and metrics.jsonl has everything\n"
    )


@pytest.mark.parametrize("elsewhere", ["disabled", "online"])
def test_the_environment_does_not_overrule_the_config(tmp_path, monkeypatch, elsewhere):
    monkeypatch.setenv("WANDB_MODE", elsewhere)
    monkeypatch.setenv("WANDB_PROJECT", "another")
    monkeypatch.setenv("WANDB_RUN_ID", "another")
    monkeypatch.setenv("WANDB_NAME", "another")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "another"))
    monkeypatch.setenv("WANDB_SILENT", "false")
    sink = make(tmp_path)
    sink.write(1, {"loss": 1.0})
    sink.close({})
    (run,) = [r.run for r in records(tmp_path / "run") if r.HasField("run")]
    assert "another" not in (run.project, run.display_name, run.run_id)
    assert not (tmp_path / "another").exists()


def test_auto_never_sends_against_the_environment_and_says_so(tmp_path, monkeypatch, capfd, server):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_MODE", "offline")
    make(tmp_path, "auto").close({})
    assert capfd.readouterr().err.startswith("wandb: WANDB_MODE=offline is set, so this run is kept offline; ")


def test_online_is_not_silenced_by_the_environment(tmp_path, monkeypatch, server):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setattr(wandb, "init", lambda **given: Online(given))
    assert make(tmp_path, "online").where.startswith("https://")


def test_a_resumed_run_keeps_its_id_and_another_run_has_its_own(tmp_path):
    ids = []
    for folder in ("a", "a", "b"):
        (tmp_path / folder).mkdir(exist_ok=True)
        sink = make(tmp_path, folder=tmp_path / folder)
        sink.close({})
        ids.append((tmp_path / folder / "wandb" / "id").read_text())
    assert ids[0] == ids[1] != ids[2]
    runs = sorted(path.name.rsplit("-", 1)[1] for path in (tmp_path / "a").glob("wandb/offline-run-*"))
    assert len(runs) == 2
    assert {run.split(".")[0] for run in runs} <= {ids[0], "1"}


def test_signals_stay_with_the_loop(tmp_path):
    mine = [signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        sink = make(tmp_path)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        sink.write(1, {"loss": 1.0})
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
        sink.close({})
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), mine, strict=True):
            signal.signal(number, handler)
    assert len(history(tmp_path / "run")) == 1
    assert any(r.HasField("exit") for r in records(tmp_path / "run"))


def test_a_project_that_cannot_be_is_said(tmp_path):
    with pytest.raises(UserError, match=r"project name 'a/b'"):
        make(tmp_path, project="a/b")


def test_the_address_of_these_tests_is_dead():
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 9)) != 0
