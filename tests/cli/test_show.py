import json
from pathlib import Path

import pytest
import yaml

from sandbox.config.files import to_yaml
from sandbox.runs import registry
from sandbox.runs.resolve import resolve
from sandbox.storage.run_folder import RunFolder

WORDS = ["steps=100", "env.name=catch", "agent.name=random"]


@pytest.fixture
def run(tmp_path):
    """A run called `mine` that has half of its steps."""
    folder = RunFolder.create(
        tmp_path / "runs", "mine", config=to_yaml(resolve([], WORDS)), command=["sandbox", "train"]
    )
    folder.metrics.write_text('{"step": 50, "time": 1.5, "env/return": -0.6, "loss": "NaN"}\n')
    folder.summary.write_text('{"finished": false}')
    return folder


def test_a_member_says_what_it_is_and_its_options(sandbox):
    said = sandbox("show", "catch")
    lines = said.out.splitlines()
    assert lines[0] == "env catch"
    assert "Paper: Osband et al. 2020" in said.out
    assert any(line.startswith("  env.observe   pixels | features  pixels  observation: ") for line in lines)
    assert "  env.blind     true | false       false   only the first observation of an episode shows the ball" in lines


def test_a_wrapper_says_how_it_is_written(sandbox):
    said = sandbox("show", "flicker")
    lines = said.out.splitlines()
    assert lines[0] == "wrapper flicker"
    assert "In YAML: `env.wrappers: [{flicker: {p: 0.5}}]`." in lines
    assert lines[-1] == "  flicker.p  number from 0 to 1  0.5  probability that an observation is blank"
    assert sandbox("show", "previous_action_reward").out.endswith(", which has no options.\n")


def test_a_member_in_json_with_the_options_of_its_sections(sandbox):
    shown = json.loads(sandbox("show", "dqn", "--json").out)
    assert list(shown) == ["kind", "name", "file", "description", "options"]
    assert (shown["kind"], shown["name"]) == ("agent", "dqn")
    options = {option["path"]: (option["type"], option["default"]) for option in shown["options"]}
    assert options["agent.backbone"][0] == " | ".join(registry.backbones())
    assert options["agent.optimizer.lr"] == (
        "number above 0",
        "0.00025",
    )  # the agent's default, not the optimizer's
    assert options["agent.optimizer.clip_norm"] == ("number above 0 | null", "null")
    assert options["agent.optimizer.betas"][0] == "[number at least 0 and below 1, number at least 0 and below 1]"


def test_every_member_can_be_shown(sandbox):
    families = {
        "envs": "env",
        "wrappers": "wrapper",
        "agents": "agent",
        "generators": "generator",
        "data": "data",
    }
    members = [(kind, name) for family, kind in families.items() for name in registry.names(family)]
    for kind, name in [*members, *(("backbone", name) for name in registry.backbones())]:
        shown = json.loads(sandbox("show", name, "--json").out)
        assert (shown["kind"], shown["name"]) == (kind, name)
        assert shown["options"] or name == "previous_action_reward"


def test_every_config_can_be_shown(sandbox):
    for name in registry.configs():
        shown = yaml.safe_load(sandbox("show", name).out)
        assert shown == yaml.safe_load(to_yaml(resolve([name], [])))


def test_a_config_is_resolved(sandbox):
    Path("mine.yaml").write_text("steps: 100\nenv: {name: catch}\nagent: {name: random}\n")
    said = sandbox("show", "mine.yaml", "seed=7")
    assert yaml.safe_load(said.out) == yaml.safe_load(to_yaml(resolve(["mine.yaml"], ["seed=7"])))
    shown = json.loads(sandbox("show", "mine.yaml", "seed=7", "--json").out)
    assert shown["kind"] == "config"
    assert (shown["config"]["seed"], shown["config"]["env"]["observe"]) == (7, "pixels")


def test_a_config_with_mistakes(sandbox):
    said = sandbox("show", *WORDS, "sede=7")
    assert (said.code, said.out) == (2, "")
    assert said.err == "error: command line: sede=7: unknown option. Did you mean 'seed'?\n"


def test_a_run_by_name_id_path_and_latest(sandbox, run):
    texts = [sandbox("show", text).out for text in ("mine", run.id, "runs/mine", "latest")]
    assert len(set(texts)) == 1
    lines = texts[0].splitlines()
    assert lines[0] == f"run mine ({run.id}) in runs/mine"
    assert lines[1] == "random on catch: step 50 of 100, stopped"
    assert "  env/return  -0.6" in lines
    assert texts[0].endswith(run.config.read_text())


def test_a_run_in_json(sandbox, run):
    shown = json.loads(sandbox("show", "latest", "--json").out)
    assert list(shown) == ["kind", "name", "path", "finished", "state", "card", "config", "summary", "metrics"]
    assert (shown["kind"], shown["finished"], shown["state"]) == ("run", False, "stopped")
    assert shown["metrics"] == {"step": 50, "time": 1.5, "env/return": -0.6, "loss": "NaN"}
    assert shown["summary"] == {"finished": False}


def test_nothing_of_that_name(sandbox, run):
    said = sandbox("show", "dqnn")
    assert said.code == 2
    assert said.err == (
        "error: no member, config or run is called 'dqnn'. Did you mean 'dqn' or 'drqn'? See `sandbox list`.\n"
    )


def test_a_folder_that_is_no_run(sandbox):
    Path("photos").mkdir()
    assert sandbox("show", "photos").err.endswith(
        "error: photos is not a run folder: run.json is missing and config.yaml is missing.\n"
    )


@pytest.mark.parametrize(
    "word", ["agent.dqn", "env.catch", "generator.vae", "data.digits", "wrapper.flicker", "backbone.mlp"]
)
def test_a_member_by_its_section(sandbox, word):
    section, _, name = word.partition(".")
    assert sandbox("show", word).out == sandbox("show", name).out
    assert sandbox("show", f"agent.{name}").code == (0 if section == "agent" else 2)
