"""Members outside of this package: found in files, folders and packages, and never imported before they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.core.errors import UserError
from sandbox.runs import registry
from sandbox.runs.own_members import family_of, own

AGENT = "class AConfig(AgentConfig):\n    name: str = 'a'\n"


def write(folder: Path, *names: str, text: str = "raise AssertionError('it was imported')") -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n{AGENT}" if name.endswith(".py") else "# A config.\nsteps: 1\n")
    return folder


def test_a_folder_has_the_families_as_subfolders(tmp_path):
    own.add(write(tmp_path, "agents/mine.py", "agents/_help.py", "envs/maze.py", "configs/c.yaml", "other/x.py"))
    assert registry.files("agents")["mine"] == tmp_path / "agents/mine.py"
    assert registry.files("envs")["maze"] == tmp_path / "envs/maze.py"
    assert registry.configs()["c"] == tmp_path / "configs/c.yaml"
    assert {"_help", "x"}.isdisjoint(registry.files("agents"))
    assert registry.source("agents", "mine") == str(tmp_path)
    assert registry.source("agents", "dqn") is None
    assert list(registry.files("agents")) == sorted(registry.files("agents"))
    assert "sandbox.agents.mine" not in sys.modules


@pytest.mark.parametrize(
    ("base", "family"),
    [
        ("AgentConfig", "agents"),
        ("agent.AgentConfig", "agents"),
        ("GeneratorConfig", "generators"),
        ("BatchEnvConfig, Other", "envs"),
        ("EnvConfig", "envs"),
        ("DataConfig", "data"),
        ("Config", None),
    ],
)
def test_the_family_of_a_loose_file_is_that_of_its_config_class(tmp_path, base, family):
    file = tmp_path / "loose.py"
    file.write_text(f"class LooseConfig({base}):\n    pass\n")
    assert family_of(file) == family
    if family:
        own.add(file)
        assert registry.files(family)["loose"] == file


def test_a_file_that_is_broken_is_named_with_its_line(tmp_path, capsys):
    (tmp_path / "broken.py").write_text("class A(AgentConfig:\n")
    with pytest.raises(UserError, match=rf"{tmp_path}/broken.py:1: .* Correct the file"):
        family_of(tmp_path / "broken.py")
    write(tmp_path, "mine.py")
    own.add(tmp_path)  # a folder: the rest works
    assert "broken.py is left out" in capsys.readouterr().err


def test_what_is_no_member(tmp_path):
    with pytest.raises(UserError, match=rf"no members at {tmp_path}/nowhere: there is no such file or folder"):
        own.add(tmp_path / "nowhere")
    with pytest.raises(UserError, match=rf"no members at {tmp_path}. Name a Python file with a subclass of"):
        own.add(tmp_path)


def test_this_package_is_passed_over():
    before = registry.files("agents")
    own.add(Path(registry.__file__).parents[2])
    assert registry.files("agents") == before


def test_a_name_that_is_taken(tmp_path):
    write(tmp_path, "dqn.py", "one/mine.py", "two/mine.py")
    with pytest.raises(UserError, match=rf"two agents are called dqn: .*/agents/dqn.py and {tmp_path}/dqn.py. Rename"):
        own.add(tmp_path / "dqn.py")
    own.add(tmp_path / "one")
    own.add(tmp_path / "one/mine.py")  # the same once more
    with pytest.raises(UserError, match=rf"called mine: {tmp_path}/one/mine.py and {tmp_path}/two/mine.py"):
        own.add(tmp_path / "two")


def test_the_environment_variable_names_several(tmp_path, monkeypatch):
    write(tmp_path, "one/mine.py", "two/yours.py")
    monkeypatch.setenv("SANDBOX_MEMBERS", f"{tmp_path}/one:{tmp_path}/two/yours.py")
    assert {"mine", "yours"} <= registry.files("agents").keys()


def test_a_member_and_its_helper_are_imported_when_they_are_used(tmp_path):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/_own_help.py").write_text("VALUE = 5\n")
    (tmp_path / "agents/own_test_agent.py").write_text(
        '"""An agent."""\n\nfrom typing import Literal\n\nfrom sandbox.agents._own_help import VALUE\n'
        "from sandbox.interfaces.agent import AgentConfig\n\n\nclass MineConfig(AgentConfig):\n"
        '    """Options."""\n\n    name: Literal["own_test_agent"] = "own_test_agent"\n    size: int = VALUE\n\n'
        "    def make(self, *_):\n        return None\n"
    )
    own.add(tmp_path)
    config = registry.config_class("agents", "own_test_agent")
    assert config.model_fields["size"].default == 5


def test_an_error_in_a_member_names_file_and_line(tmp_path):
    file = tmp_path / "own_broken_agent.py"
    file.write_text(f"\n\nx = 1 / 0\n{AGENT}")
    own.add(file)
    with pytest.raises(UserError, match=rf"{file}:3: ZeroDivisionError: division by zero. This keeps sandbox.agents"):
        registry.config_class("agents", "own_broken_agent")


def installed(folder: Path, **points: str) -> None:
    """Make a package as pip leaves it in a folder of `sys.path`."""
    write(folder, "their_members/their_agent.py")
    (folder / "their_members/__init__.py").write_text("raise AssertionError('it was imported')")
    card = folder / "their_members-1.2.dist-info"
    card.mkdir()
    (card / "METADATA").write_text("Metadata-Version: 2.1\nName: their-members\nVersion: 1.2\n")
    lines = [f"[sandbox.agents]\n{name} = {module}\n" for name, module in points.items()]
    (card / "entry_points.txt").write_text("".join(lines))


def test_entry_points_of_installed_packages(tmp_path, monkeypatch, capsys):
    installed(tmp_path, their_agent="their_members.their_agent")
    monkeypatch.syspath_prepend(tmp_path)
    assert registry.files("agents")["their_agent"] == tmp_path / "their_members/their_agent.py"
    assert registry.source("agents", "their_agent") == "their-members 1.2"
    assert "their_members" not in sys.modules
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ({"gone": "their_members.gone"}, "there is no module their_members.gone"),
        ({"gone": "nowhere.gone"}, "there is no module nowhere"),
        ({"other": "their_members.their_agent"}, "its entry point is the module their_members.their_agent, which must"),
        ({"dqn": "their_members.dqn"}, "two agents are called dqn: "),
    ],
)
def test_an_entry_point_that_fails_is_named_and_the_rest_works(tmp_path, monkeypatch, capsys, point, reason):
    installed(tmp_path, **point)
    write(tmp_path, "their_members/dqn.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert "dqn" in registry.files("agents")
    said = capsys.readouterr().err
    assert said.startswith(f"note: their-members 1.2: the member {next(iter(point))} is left out: {reason}")
    assert said.count("\n") == 1


def test_nothing_is_found_by_itself(tmp_path):
    """A working folder with members changes nothing."""
    write(tmp_path, "agents/mine.py", "mine.py", "configs/mine.yaml")
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "list", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "mine" not in done.stdout
