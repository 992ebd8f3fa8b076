"""`--web`: output on the terminal, refused commands, and the end of a session."""

import re
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from sandbox.storage.run_folder import RunFolder
from sandbox.viewer.web import server

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
client = pytest.importorskip("websockets.sync.client")


exceptions = pytest.importorskip("websockets.exceptions")


def drain(page):
    while True:
        page.recv(90)


class Page:
    """A server of the viewer whose only page quits at once."""

    url, ssh_tunnel = "http://127.0.0.1:8765/?token=t", "ssh -N -L 8765:127.0.0.1:8765 here"

    def __init__(self, port):
        Page.port = port

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        pass

    def run(self, session):
        assert session.render(400, 300).shape == (300, 400, 3)
        yield "seed 0: return 0 in 3 steps"


def test_the_address_and_the_tunnel_are_told(sandbox, monkeypatch):
    monkeypatch.setattr(server, "ViewerServer", Page)
    said = sandbox("play", "catch", "--web")
    assert (said.code, said.out) == (0, "seed 0: return 0 in 3 steps\n")
    assert said.err == (
        "note: open http://127.0.0.1:8765/?token=t to see Catch; Ctrl-C ends it\n"
        "note: from another machine, run this there first: ssh -N -L 8765:127.0.0.1:8765 here\n"
    )
    assert Page.port == 8765
    sandbox("play", "catch", "--web", "--port", "0")
    assert Page.port == 0


def test_a_port_that_is_taken_is_one_message(sandbox):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = sandbox("play", "catch", "--web", "--port", f"{port}")
    assert (said.code, said.err) == (
        2,
        f"error: port {port} is taken, perhaps by another viewer. Give a free one with --port, or --port 0 for any.\n",
    )


def test_without_the_extra_it_says_what_to_install(sandbox, monkeypatch):
    monkeypatch.setattr(server, "find_spec", lambda name: None)
    said = sandbox("play", "catch", "--web")
    assert (said.code, said.err) == (
        2,
        "error: --web needs starlette, uvicorn, websockets, not installed here. Run: pip install 'rl-sandbox[web]'\n",
    )


def test_a_video_or_a_page(sandbox, tmp_path):
    RunFolder.create(
        tmp_path / "runs", "caught", config="env: {name: catch}\nagent: {name: dqn}\nsteps: 1\n", command=[]
    )
    said = sandbox("watch", "caught", "--web", "--video", "agent.mp4")
    assert (said.code, said.err) == (2, "error: --video and --web exclude each other; give one of them\n")


@pytest.mark.attack
def test_ctrl_c_ends_it_cleanly(tmp_path):
    """The installed program tells a connected page that the session is over, and prints nothing but its notes."""
    command = [Path(sys.executable).with_name("sandbox"), "play", "catch", "--web", "--port", "0"]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # background jobs of a shell are deaf to it
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, cwd=tmp_path, preexec_fn=heard) as program:
        try:
            while "open http" not in (first := program.stderr.readline()):  # after lines about the progress
                assert first
            program.stderr.readline()
            here, token = re.search(r"http://(\S+)/\?token=(\S+)", first).groups()
            with client.connect(f"ws://{here}/frames?token={token}&name={'a' * 16}", origin=f"http://{here}") as page:
                page.recv(90)
                program.send_signal(signal.SIGINT)
                with pytest.raises(exceptions.ConnectionClosed, match="4002"):
                    drain(page)
            out, err = program.communicate(timeout=90)
        finally:
            program.kill()
    assert (program.returncode, out, err) == (130, "", "")
