import sys
from pathlib import Path

import pytest

import agents
from sandbox import catalog
from sandbox.configfile import to_yaml
from sandbox.errors import UserError
from sandbox.resolve import member, resolve

CATCH = ["steps=100", "env.name=catch", "agent.name=random"]


def refused(files, overrides=()):
    with pytest.raises(UserError) as error:
        resolve(files, overrides)
    return str(error.value)


@pytest.mark.parametrize("name", catalog.configs())
def test_every_shipped_config_survives_being_written_and_read(name, tmp_path):
    config = resolve([name], [])
    copy = tmp_path / "copy.yaml"
    copy.write_text(to_yaml(config))
    assert resolve([copy], []) == config
    assert to_yaml(resolve([copy], [])) == copy.read_text()


def test_options_reach_their_members():
    config = resolve([], [*CATCH, "env.blind=true", "agent.stream.num_envs=3", "logger.wandb=off", "name=a-1"])
    assert config.env.blind
    assert config.agent.stream.num_envs == 3
    assert (config.name, config.logger.wandb) == ("a-1", "off")
    assert config != resolve([], [*CATCH, "logger.wandb=off", "name=a-1"])


def test_several_mistakes_are_told_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(
        "# wrong\nsteps: many\nsede: 3\n"
        "env:\n  name: catch\n  blind: yes\n  blnd: true\n"
        "agent:\n  name: ramdom\n  lr: 3\n"
    )
    assert refused(["x.yaml"], ["logger.wandb=of"]) == (
        "6 mistakes:\n"
        "  x.yaml:2: steps: needs a whole number, got 'many'.\n"
        "  x.yaml:3: sede: unknown option. Did you mean 'seed'?\n"
        "  x.yaml:6: env.blind: needs true or false, got 'yes'.\n"
        "  x.yaml:7: env.blnd: unknown option. Did you mean 'blind'?\n"
        f"  x.yaml:9: agent.name: unknown agent 'ramdom'. Did you mean 'random'? Known: {known('agents')}.\n"
        "  command line: logger.wandb=of: needs 'auto', 'online', 'offline' or 'off', got 'of'. Did you mean 'off'?"
    )


def known(family):
    return ", ".join(catalog.names(family))


@pytest.mark.parametrize(
    ("key", "family", "word", "near"),
    [
        ("env", "envs", "cacth", "catch"),
        ("agent", "agents", "ramdom", "random"),
        ("generator", "generators", "vea", "vae"),
        ("data", "sandbox.data", "digit", "digits"),
    ],
)
def test_unknown_members(key, family, word, near):
    others = {"env": "agent", "agent": "env", "generator": "data", "data": "generator"}
    partner = {"env": "catch", "agent": "random", "generator": "vae", "data": "digits"}[others[key]]
    message = refused([], ["steps=1", f"{key}.name={word}", f"{others[key]}.name={partner}"])
    end = f"unknown {key} '{word}'. Did you mean '{near}'? Known: {known(family)}."
    assert message == f"command line: {key}.name={word}: {end}"


def test_a_section_needs_a_name():
    assert refused([], ["steps=1", "env.name=catch", "agent.lr=3"]) == (
        f"command line: agent.name: missing. Known: {known('agents')}."
    )
    assert refused([], ["steps=1", "env=catch", "agent.name=random"]) == (
        "command line: env=catch: needs a section (name), got 'catch'. Did you mean env.name=catch?"
    )


def test_sources_and_learners_come_in_pairs_and_that_is_told_with_the_rest():
    rule = "command line: give either env and agent, or data and generator; this gives"
    assert refused([], ["steps=1", "env.name=catch"]) == f"{rule} env."
    assert refused([], ["steps=1", *CATCH, "data.name=digits"]) == f"{rule} env and agent and data."
    assert refused([], ["seed=-1"]) == (
        "3 mistakes:\n  command line: steps: missing. It needs a whole number.\n"
        f"  command line: seed=-1: needs a value >= 0, got -1.\n  {rule} neither."
    )


def test_a_null_section_is_none():
    assert resolve([], [*CATCH, "data=null"]).data is None


def test_a_member_by_itself():
    assert member("envs", {"name": "catch", "blind": True}, "data.env").blind
    with pytest.raises(UserError) as error:
        member("envs", {"name": "catch", "blnd": True, "observe": 3}, "data.env")
    assert str(error.value) == (
        "2 mistakes:\n  data.env: observe: needs 'pixels' or 'features', got 3.\n"
        "  data.env: blnd: unknown option. Did you mean 'blind'?"
    )


def test_one_file_is_one_member(tmp_path):
    (tmp_path / "lazy.py").write_text(
        '"""The lazy agent."""\nfrom typing import Literal\nfrom sandbox.learner import AgentConfig\n'
        "from sandbox.streams.rollouts import RolloutsConfig\n"
        'class LazyConfig(AgentConfig):\n    name: Literal["lazy"] = "lazy"\n    naps: int = 2\n'
        "    stream: RolloutsConfig = RolloutsConfig()\n"
        "    def make(self, spec, rng, compute): ...\n"
    )
    agents.__path__.append(str(tmp_path))
    try:
        assert "lazy" in catalog.names("agents")
        assert resolve([], ["steps=1", "env.name=catch", "agent.name=lazy", "agent.naps=3"]).agent.naps == 3
    finally:
        agents.__path__.remove(str(tmp_path))
        sys.modules.pop("agents.lazy", None)
