"""The modes of the Weights & Biases sink: auto, online and offline, with and without a key or a server."""

import json
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import wandb

from sandbox.core.errors import UserError

KEY = "0123456789" * 4


def test_auto_without_a_key_is_offline_and_says_how_to_upload(make, history, tmp_path, capfd):
    sink = make("auto")
    where = f"wandb sync {tmp_path}/run/wandb/offline-run-*"
    assert sink.where == where
    sink.write(1, {"loss": 1.0})
    sink.close({})
    assert len(history(tmp_path / "run")) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        "wandb: no Weights & Biases key was found, so this run is kept offline; "
        f"after `wandb login`, upload it with: {where}\n"
    )


def test_online_without_a_key_says_what_to_do(make):
    with pytest.raises(UserError) as caught:
        make("online")
    assert str(caught.value) == (
        "logger.wandb=online, but no Weights & Biases key was found. "
        "Run `wandb login` or set WANDB_API_KEY, or use logger.wandb=auto, offline or off."
    )


def test_an_invalid_key_is_reported(make, monkeypatch, capfd):
    monkeypatch.setenv("WANDB_API_KEY", "short")
    with pytest.raises(UserError, match=r"WANDB_API_KEY invalid: API key must have 40\+ characters"):
        make("online")
    make("auto").close({})
    assert "so this run is kept offline" in capfd.readouterr().err


def test_auto_goes_offline_when_no_server_answers(make, history, tmp_path, monkeypatch, capfd, logged_out):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_HTTP_TIMEOUT", "1")
    sink = make("auto")
    sink.write(1, {"loss": 1.0})
    sink.close({})
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"wandb: Weights & Biases said: Failed to authenticate with {logged_out}")
    assert "so this run is kept offline" in line
    assert len(history(tmp_path / "run")) == 1


@pytest.fixture
def server(monkeypatch, logged_out):
    """A server that accepts every key, and the paths that were requested from it."""
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
def test_offline_runs_make_no_requests_not_even_at_their_end(history, tmp_path, monkeypatch, server, mode):
    monkeypatch.delenv("WANDB_ERROR_REPORTING")  # W&B's error reports would go to the same server
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
    """A stand-in for a run that a server has accepted."""

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
def test_auto_with_a_key_is_online(make, tmp_path, monkeypatch, capfd, server, keeper):
    if keeper == "environment":
        monkeypatch.setenv("WANDB_API_KEY", KEY)
    else:
        (tmp_path / "home" / "netrc").write_text(f"machine {server[0]} login user password {KEY}\n")
    started = []
    monkeypatch.setattr(wandb, "init", lambda **given: started.append(Online(given)) or started[-1])
    sink = make("auto")
    assert started[0].given["mode"] == "online"
    assert sink.where == "https://example.org/mine/runs/1"
    (tmp_path / "step-5").mkdir()
    sink.checkpoint(5, tmp_path / "step-5")
    assert started[0].logged == [["latest", "step-5"]]  # at once, so that a killed run has uploaded what it had
    sink.close({})
    assert len(started) == 1
    assert capfd.readouterr() == ("", "")


def test_an_upload_that_takes_too_long_is_abandoned_and_reported(make, monkeypatch, capfd, server):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setattr(wandb, "init", lambda **given: Online(given, ends=False))
    make("online").close({})
    assert capfd.readouterr().err == (
        "wandb: not everything was uploaded within 120 s; upload the rest with: wandb sync run/wandb/run-1\n"
    )


def test_an_error_in_wandb_does_not_end_the_run(make, monkeypatch, capfd, server):
    def lost(row):
        raise ConnectionResetError("Connection lost")

    run = Online({})
    run.log = lost
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setattr(wandb, "init", lambda **given: run)
    sink = make("online")
    sink.write(1, {"loss": 1.0})
    sink.write(2, {"loss": 1.0})
    sink.close({})
    assert capfd.readouterr().err == (
        "wandb: stopped by ConnectionResetError('Connection lost'); "
        "the run continues without it, and metrics.jsonl is complete\n"
    )


def test_auto_obeys_an_offline_environment_and_says_so(make, monkeypatch, capfd, server):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_MODE", "offline")
    make("auto").close({})
    assert capfd.readouterr().err.startswith("wandb: WANDB_MODE=offline is set, so this run is kept offline; ")


def test_online_is_not_silenced_by_the_environment(make, monkeypatch, server):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setattr(wandb, "init", lambda **given: Online(given))
    assert make("online").where.startswith("https://")


def test_the_address_of_these_tests_is_dead():
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 9)) != 0
