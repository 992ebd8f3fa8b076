"""Modules are imported on the word of the person at the keyboard only, never on the word of a run folder."""

import sys
from collections.abc import Iterator
from pathlib import Path

import gymnasium
import pytest

from sandbox.storage.run_folder import RunFolder

MODULE = """
from pathlib import Path
import gymnasium, numpy as np
Path(__file__).with_name("imported").touch()
class Env(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (4,))
    action_space = gymnasium.spaces.Discrete(3)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(4, np.float32), {}
    def step(self, action):
        self.t += 1
        return np.zeros(4, np.float32), 1.0, self.t == 5, False, {}
gymnasium.register("Mine/X-v0", Env)
"""
TRAIN = [
    "train",
    "agent.name=random",
    "steps=40",
    "name=mine",
    "logger.wandb=off",
    "checkpoint_period=20",
    "evaluate_period=0",
]
COMMANDS = (
    ["evaluate", "evil", "--episodes", "2"],
    ["watch", "evil", "--video", "x.mp4"],
    ["resume", "evil"],
    ["show", "evil"],
    ["report", "evil", "--out", "page.html"],
    ["runs"],
    ["export", "evil"],
    ["play", "evil"],
    ["train", "data={name: frames, agent: evil, env: {name: catch}}", "generator.name=vae", "steps=2"],
)


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Path]:
    """A module of environments in the working folder."""
    (tmp_path / "my_envs.py").write_text(MODULE)
    before = list(sys.path)
    yield tmp_path / "imported"
    sys.path[:] = before
    sys.modules.pop("my_envs", None)
    gymnasium.registry.pop("Mine/X-v0", None)


@pytest.mark.parametrize(
    "id_", ["my_envs:Mine/X-v0", "my_envs.sub:X-v0", "my_envs:my_envs:Mine/X-v0", "my_envs:Mine/X"]
)
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_run_folder_imports_nothing(sandbox, tmp_path: Path, module: Path, words: list[str], id_: str) -> None:
    sys.path.append(str(tmp_path))  # even where Python would find it
    config = f"seed: 0\nsteps: 100\nenv: {{name: gym, id: '{id_}'}}\nagent: {{name: random}}\n"
    RunFolder.create(tmp_path / "runs", "evil", config=config, command=["sandbox"])
    said = sandbox(*words)
    assert not module.exists()
    assert "Traceback" not in said.err
    if words[0] in ("evaluate", "watch", "resume"):
        assert said.code == 2
        assert said.err.endswith("which may run anything. If you trust it, add --trust my_envs to the command.\n")


def test_a_typed_module_is_found_in_the_working_folder_and_remembered(sandbox, module: Path) -> None:
    assert sandbox(*TRAIN, "env={name: gym, id: 'my_envs:Mine/X-v0'}").code == 0
    assert module.exists()
    assert sandbox("evaluate", "mine", "--episodes", "2").code == 0  # later commands need no word


def test_trust_is_given_by_name(sandbox, tmp_path: Path, module: Path) -> None:
    config = "seed: 0\nsteps: 40\nenv: {name: gym, id: 'my_envs:Mine/X-v0'}\nagent: {name: random}\n"
    RunFolder.create(tmp_path / "runs", "theirs", config=config, command=["sandbox"])
    assert sandbox("resume", "theirs").code == 2
    said = sandbox("resume", "theirs", "--trust", "my_envs")
    assert (said.code, module.exists()) == (0, True), said.err


def test_trust_needs_a_module(sandbox) -> None:
    said = sandbox("runs", "--trust", "../evil")
    assert (said.code, said.err) == (
        2,
        "error: --trust needs the name of a module, such as --trust my_envs; got '../evil'\n",
    )
