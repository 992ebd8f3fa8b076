import sys
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest
import torch

from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.run_folder import RunFolder

CONFIG = "steps: 100\nseed: 0\nname: a\nenv: {name: catch}\nagent: {name: dqn}\n"


class Part:
    def state_dict(self):
        return {"weights": torch.ones(2)}

    def load_state_dict(self, state): ...


@pytest.fixture
def run(tmp_path):
    folder = RunFolder.create(tmp_path / "runs", "a", config=CONFIG, command=["sandbox", "train"])
    folder.metrics.write_text('{"step": 100, "time": 1.0, "env/return": 0.5}\n')
    Checkpoints(folder.checkpoints).save(100, {"learner.network": Part(), "stream.replay": Part()})
    return folder


@pytest.fixture
def hub(monkeypatch):
    """A fake huggingface_hub with the signatures of the real one; it keeps what is uploaded."""

    class HfApi:
        sent: ClassVar[dict] = {}
        name: str | None = "me"

        def __init__(self, *, library_name):
            self.library_name = library_name

        def whoami(self):
            if self.name is None:
                raise OSError("Token is required to call the /whoami-v2 endpoint, but no token found.\nMore lines")
            return {"name": self.name}

        def create_repo(self, repo_id, *, private=None, exist_ok=False):
            self.sent.update(repo=repo_id, private=private, exist_ok=exist_ok)
            return f"https://hub.example/{repo_id}"

        def upload_folder(self, *, repo_id, folder_path, commit_message):
            self.sent.update(files={file.name for file in Path(folder_path).rglob("*") if file.is_file()})
            self.sent.update(message=commit_message, to=repo_id)

    module = ModuleType("huggingface_hub")
    module.HfApi = HfApi
    HfApi.sent = {}
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    return HfApi


def test_what_is_sent_is_what_export_makes(sandbox, run, hub):
    said = sandbox("push", "a")
    assert (said.code, said.out) == (0, "https://hub.example/me/a\n")
    assert {"README.md", "config.yaml", "run.json", "learner.network.safetensors", "manifest.json"} <= hub.sent["files"]
    assert not any(name.startswith("stream") or name.endswith((".pkl", ".pt", ".npz")) for name in hub.sent["files"])
    sent = {key: hub.sent[key] for key in ("repo", "to", "private", "exist_ok", "message")}
    assert sent == {"repo": "me/a", "to": "me/a", "private": None, "exist_ok": True, "message": f"a ({run.id})"}


def test_to_another_repository_and_private(sandbox, run, hub):
    assert sandbox("push", "a", "--repo", "us/b", "--private").out == "https://hub.example/us/b\n"
    assert (hub.sent["repo"], hub.sent["private"]) == ("us/b", True)


def test_nobody_is_logged_in(sandbox, run, hub):
    hub.name = None
    said = sandbox("push", "a")
    assert (said.code, said.err) == (
        2,
        "error: the Hugging Face Hub: Token is required to call the /whoami-v2 endpoint, but no token found. "
        "Log in with `hf auth login` or HF_TOKEN, or choose --repo USER/NAME. "
        "`sandbox export runs/a` makes the same folder here.\n",
    )


def test_without_the_library(sandbox, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    said = sandbox("push", "a")
    assert (said.code, said.err) == (
        2,
        'error: sending a run to the Hub needs huggingface_hub: pip install "rl-sandbox[hub]". '
        "`sandbox export runs/a` makes the same folder here, without it.\n",
    )


def test_export(sandbox, run, tmp_path):
    said = sandbox("export", "a")
    assert (said.code, said.out, said.err) == (0, "exports/a\n", "")
    assert (tmp_path / "exports/a/checkpoints/step_000000000100/learner.network.safetensors").is_file()
    assert sandbox("export", "a").err == (
        "error: exports/a exists already: choose another folder with --out, or remove it first.\n"
    )
    assert sandbox("export", "a", "--out", "elsewhere/b").out == "elsewhere/b\n"
