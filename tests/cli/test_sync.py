import subprocess
import sys
from types import SimpleNamespace

import pytest
from tiny_runs import TINY

from sandbox.logger import weights_and_biases
from sandbox.storage.run_folder import RunFolder

CONFIG = "steps: 100\nenv: {name: catch}\nagent: {name: dqn}\n"


@pytest.fixture
def make(tmp_path):
    def run(name, *pieces):
        folder = RunFolder.create(tmp_path / "runs", name, config=CONFIG, command=[])
        for piece in pieces:
            place = folder.wandb / f"offline-run-{piece}"
            place.mkdir(parents=True)
            (place / "run-x.wandb").write_text("")
        return folder

    return run


@pytest.fixture
def called(monkeypatch):
    """Replace the W&B program by one that marks uploads as done; `called.refuses` makes it fail.

    Returns the command lines that it was called with.
    """

    class Called(list):
        refuses = False

    calls = Called()

    def run(words, **_):
        calls.append(words)
        if not calls.refuses:
            for place in words[4:]:
                (weights_and_biases.Path(place) / "run-x.wandb.synced").write_text("")
        return subprocess.CompletedProcess(words, int(calls.refuses))

    monkeypatch.setattr("sandbox.cli.sync.subprocess", SimpleNamespace(run=run))
    monkeypatch.setattr(weights_and_biases, "why_not_online", lambda mode: None)
    return calls


def test_what_was_kept_offline_is_sent_once(sandbox, make, called):
    make("a", "2", "1")  # a resumed run: two pieces
    make("online")
    said = sandbox("sync")
    assert (said.code, said.out) == (0, "runs/a\n")
    places = ["runs/a/wandb/offline-run-1", "runs/a/wandb/offline-run-2"]
    assert called == [[sys.executable, "-m", "wandb", "sync", *places]]
    assert said.err == f"note: a: wandb sync {' '.join(places)}\n"
    again = sandbox("sync")
    assert (again.code, again.out, again.err) == (0, "", "note: nothing to send\n")
    assert sandbox("sync", "a").err == "note: a has been sent already\nnote: nothing to send\n"
    assert len(called) == 1


def test_a_run_that_was_not_kept_offline(sandbox, make, called):
    make("a")
    said = sandbox("sync", "a")
    assert said.err == "note: a was not kept offline; there is nothing to send\nnote: nothing to send\n"
    assert said.code == 0


def test_no_key(sandbox, make, called, monkeypatch):
    make("a", "1")
    monkeypatch.setattr(weights_and_biases, "why_not_online", lambda mode: "no Weights & Biases key was found")
    said = sandbox("sync")
    assert (said.code, said.err) == (
        2,
        "error: no Weights & Biases key was found, so nothing was sent. Run `wandb login` or set WANDB_API_KEY, "
        "then `sandbox sync` again; waiting: a.\n",
    )
    assert called == []


def test_wandb_fails(sandbox, make, called):
    make("a", "1")
    called.refuses = True
    said = sandbox("sync")
    assert (said.code, said.out) == (2, "")
    assert said.err.endswith(
        "error: not everything of a was sent: see the output of W&B above. "
        "The run folders are unchanged; `sandbox sync` tries again.\n"
    )


def test_a_run_that_trains_is_left_for_later(sandbox, make, called):
    folder = make("a", "1")
    with folder.locked():
        said = sandbox("sync")
    assert said.err == "note: a is still training; send it when it is done\nnote: nothing to send\n"
    assert called == []


def test_no_runs(sandbox, called):
    assert sandbox("sync").err == (
        "error: no runs in runs yet. Train one, such as `sandbox train catch_dqn`, or say --runs DIR.\n"
    )


def test_a_run_that_was_kept_offline_is_still_a_run(sandbox, monkeypatch):
    """W&B leaves a link to its log in the user's cache."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    trained = sandbox("train", *TINY, "logger.wandb=offline", "steps=100", "name=kept", "--quiet")
    assert trained.code == 0, trained.err
    assert sandbox("show", "kept").code == 0
