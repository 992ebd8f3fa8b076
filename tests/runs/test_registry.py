"""Members from a second folder are found at once; a broken one is named, and the others still work."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import agents, generators, networks
from sandbox.core.errors import UserError
from sandbox.interfaces.capabilities import HasLikelihood
from sandbox.runs import registry
from sandbox.runs.build import build
from sandbox.runs.resolve import resolve

WORDS = ["steps=1", "env.name=catch", "agent.name=lazy"]
AGENT = '''"""The lazy agent."""
from typing import Literal
from sandbox.interfaces.agent import Agent, AgentConfig
from sandbox.streams.rollouts import RolloutsConfig
class LazyConfig(AgentConfig):
    name: Literal["{name}"] = "{name}"
    naps: int = 2
    stream: RolloutsConfig = RolloutsConfig()
    def make(self, spec, rng, compute, runs):
        return Lazy()
class Lazy({base}):
    def initial_state(self, num_envs): ...
    def update(self, batch): ...
    def parts(self): return {{}}
'''
ACT = "    def act(self, observations, state, *, explore): ...\n"

Add = Callable[[str, str], Path]


@pytest.fixture
def add(tmp_path: Path) -> Iterator[Add]:
    """Write a member's file into a second folder of its family, such as `agents/lazy.py`."""
    packages = {"agents": agents, "generators": generators, "networks": networks}
    for family, package in packages.items():
        (tmp_path / family).mkdir()
        package.__path__.append(str(tmp_path / family))

    def write(place: str, text: str) -> Path:
        (tmp_path / place).write_text(text)
        return tmp_path / place

    yield write
    for family, package in packages.items():
        package.__path__.remove(str(tmp_path / family))
        for file in (tmp_path / family).glob("*.py"):
            sys.modules.pop(f"sandbox.{family}.{file.stem}", None)


def refused(*words: str) -> str:
    with pytest.raises(UserError) as error:
        build(resolve([], [*WORDS, *words]), Path())
    return str(error.value)


def test_a_file_is_a_member_at_once(add: Add) -> None:
    add("agents/lazy.py", AGENT.format(name="lazy", base="Agent") + ACT)
    assert "lazy" in registry.names("agents")
    config = resolve([], [*WORDS, "agent.naps=3"])
    assert config.require_agent("run").agent.model_dump()["naps"] == 3
    build(config, Path())


def test_two_members_of_one_name(add: Add, sandbox) -> None:
    file = add("agents/dqn.py", AGENT.format(name="dqn", base="Agent") + ACT)
    shipped = Path(agents.__path__[0]) / "dqn.py"
    message = f"sandbox.agents has two members called dqn: {shipped} and {file}. Rename one of them."
    assert refused() == message
    assert sandbox("list").err == f"error: {message}\n"


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ('"""Broken."""\nx = 1 +\n', 2, "SyntaxError: invalid syntax"),
        ('"""Broken."""\n\nimport no_such_module\n', 3, "ModuleNotFoundError: No module named 'no_such_module'"),
        ('"""Broken."""\ndef f():\n    return 1 / 0\nf()\n', 3, "ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_with_an_error_is_named(add: Add, sandbox, text: str, place: int, what: str) -> None:
    file = add("agents/lazy.py", text)
    assert refused().startswith(f"{file}:{place}: {what}")
    assert "This keeps sandbox.agents.lazy from being imported: mend the file, or move it away." in refused()
    listed = sandbox("list")
    assert listed.code == 0
    assert "lazy" in listed.out
    resolve([], [*WORDS, "agent.name=random"])


def test_a_broken_generator_does_not_hide_what_the_others_can_do(add: Add, capsys: pytest.CaptureFixture[str]) -> None:
    whole = registry.able("generators", HasLikelihood)
    file = add("generators/broken.py", "import no_such_module\n")
    assert registry.able("generators", HasLikelihood) == whole
    assert capsys.readouterr().err.startswith(f"note: broken is left out: {file}:1: ModuleNotFoundError")


@pytest.mark.parametrize("base", ["Agent", "object"])
def test_an_agent_without_a_method_is_named(add: Add, base: str) -> None:
    """A class with and one without the declared interface are both covered."""
    file = add("agents/lazy.py", AGENT.format(name="lazy", base=base))
    assert refused() == f"{file}: Lazy has no method act, which an agent needs"


def test_a_helper_class_may_be_abstract(add: Add) -> None:
    helper = "from abc import ABC, abstractmethod\nclass Helper(ABC):\n    @abstractmethod\n    def help(self): ...\n"
    add("agents/lazy.py", AGENT.format(name="lazy", base="Agent") + ACT + helper)
    build(resolve([], WORDS), Path())


@pytest.mark.parametrize("text", ["import no_such_module\n", "x = 1 +\n"])
def test_a_broken_backbone_is_named(add: Add, sandbox, text: str) -> None:
    file = add("networks/broken.py", f"{text}class Broken(BackboneConfig): ...\n")
    said = sandbox("show", "broken")
    assert (said.code, said.err.splitlines()[-1].startswith(f"error: {file}:1: ")) == (2, True)


def test_a_backbone_of_another_name_is_refused(add: Add, sandbox) -> None:
    file = add(
        "networks/other.py",
        "from typing import Literal\nfrom sandbox.networks.base import BackboneConfig\n"
        'class Other(BackboneConfig):\n    name: Literal["another"] = "another"\n',
    )
    said = sandbox("show", "other")
    assert (said.code, said.err) == (2, f"error: {file}: the options' `name` must be 'other', as the file is called\n")


def test_an_agent_without_an_attribute_is_named(add: Add) -> None:
    text = AGENT.format(name="lazy", base="TransitionLearner").replace("Agent, Agent", "TransitionLearner, Agent")
    file = add("agents/lazy.py", text + ACT + "    frame_stack = 1\n")
    assert refused() == f"{file}: Lazy has no attribute n_step, which a TransitionLearner needs"


def test_a_generator_without_a_method_is_named(add: Add) -> None:
    text = AGENT.format(name="empty", base="object").replace("agent import Agent, AgentConfig", "generator import *")
    text = text.replace("(AgentConfig)", "(GeneratorConfig)").replace("Literal\n", "Literal\nfrom typing import Any\n")
    text = "from sandbox.interfaces.generator import GeneratorConfig\n" + text
    file = add("generators/empty.py", text)
    with pytest.raises(UserError) as error:
        build(resolve([], ["steps=1", "data.name=digits", "generator.name=empty"]), Path())
    assert str(error.value) == f"{file}: Lazy has no method sample, which a generator needs"


@pytest.mark.parametrize("text", ['"""Nothing."""\n', AGENT.format(name="other", base="Agent") + ACT])
def test_a_file_without_a_config_of_its_name(add: Add, text: str) -> None:
    file = add("agents/lazy.py", text)
    assert refused().startswith(f"{file}: sandbox.agents.lazy must define one config class with `name: Literal[")


def test_names_are_listed_without_torch(program) -> None:
    """`sandbox list` reads the members' files without importing them, so it takes one second instead of five."""
    code = "import sys; sys.argv = ['sandbox', 'list']; from sandbox.cli._app import app\n"
    code += "try: app()\nexcept SystemExit: pass\nassert 'torch' not in sys.modules"
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("module", ["sandbox.networks.backbone", "sandbox.optimizers.choice", "sandbox.runs.registry"])
def test_no_file_of_this_package_is_left_out(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, text=True, check=True)
    assert done.stderr == ""
