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


def test_the_networks_of_a_config(sandbox):
    lines = sandbox("show", *WORDS, "agent={name: dqn}", "--networks").out.splitlines()
    assert lines[0] == "network: 1,685,667 parameters, 9,344,512 multiply-adds"
    assert lines[1].split() == ["layer", "type", "output", "parameters", "field", "multiply-adds"]
    assert lines[6].split() == ["encoder.convolutions.4", "Conv2d", "64x7x7", "36,928", "36", "1,806,336"]
    assert lines[8].split() == ["encoder.head.0", "Linear", "512", "1,606,144", "all", "1,605,632"]


def test_the_networks_in_json(sandbox):
    assert json.loads(sandbox("show", *WORDS, "agent={name: dqn, frame_stack: 1}", "--networks", "--json").out)[
        "networks"
    ]["network"][0] == {
        "name": "encoder.convolutions.0",
        "kind": "Conv2d",
        "shape": [32, 20, 20],
        "parameters": 2080,
        "field": "8",
        "multiply_adds": 819_200,
    }


def test_a_learner_without_networks_says_so(sandbox, run):
    assert sandbox("show", *WORDS, "--networks").out == "random has no networks.\n"
    assert sandbox("show", "mine", "--networks").out == "random has no networks.\n"
    assert json.loads(sandbox("show", "latest", "--networks", "--json").out) == {
        "kind": "networks",
        "learner": "random",
        "networks": {},
        "unused": {},
        "parameters": 0,
        "multiply_adds": 0,
    }


def test_the_networks_of_a_run_need_no_data(sandbox, tmp_path):
    config = to_yaml(resolve([], ["steps=100", "data.name=digits", "generator={name: gan}"]))
    folder = RunFolder.create(
        tmp_path / "runs", "gone", config=config.replace("name: digits", "name: mnist"), command=[]
    )
    facts = {"shape": [1, 28, 28], "is_bytes": True, "num_classes": 10, "source_shape": None, "binary": False}
    (folder.path / "data.json").write_text(json.dumps({**facts, "classes": None, "sha256": "0"}))
    networks = json.loads(sandbox("show", "gone", "--networks", "--json").out)["networks"]
    assert networks["generator"][-1]["shape"] == [784]


def test_networks_of_several_parts_have_sums(sandbox):
    out = sandbox("show", "digits_gan", "--networks").out.splitlines()
    assert out[-1].startswith("together: ")
    assert out[0].startswith("discriminator: ")


def test_a_member_alone_has_no_networks_to_show(sandbox):
    said = sandbox("show", "dqn", "--networks")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "error: --networks: dqn is a member, and its networks depend on what it learns from. Name a config or a run, "
        "such as `sandbox show catch_dqn --networks`.\n"
    )
