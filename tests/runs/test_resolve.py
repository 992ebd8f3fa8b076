from pathlib import Path

import pytest

from sandbox.config.base import Config
from sandbox.config.files import to_yaml
from sandbox.config.schedules import ApexEpsilon, Linear
from sandbox.core.errors import UserError
from sandbox.networks.heads.exploration import EpsilonGreedy
from sandbox.networks.heads.scalar import Scalar
from sandbox.networks.mlp import MLP
from sandbox.networks.nature import Nature
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.centered_rmsprop import CenteredRMSProp
from sandbox.runs import registry
from sandbox.runs.config import AgentRun, GeneratorRun
from sandbox.runs.resolve import completed, member, resolve
from sandbox.streams.experience import ReplayConfig
from sandbox.streams.prioritized import PrioritizedConfig
from sandbox.streams.rollouts import RolloutsConfig

CATCH = ["steps=100", "env.name=catch", "agent.name=random"]
DIGITS = ["steps=100", "data.name=digits", "generator.name=rbm"]


def refused(files, overrides=()):
    with pytest.raises(UserError) as error:
        resolve(files, overrides)
    return str(error.value)


@pytest.mark.parametrize("name", registry.configs())
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


def agent(name, *words):
    return resolve([], ["steps=1", "env.name=catch", f"agent.name={name}", *(f"agent.{word}" for word in words)]).agent


def test_one_option_of_a_section_leaves_the_agents_own_defaults_of_the_others(tmp_path):
    assert agent("rainbow", "stream.batch_size=64").stream == PrioritizedConfig(batch_size=64)
    assert agent("rainbow", "optimizer.lr=1e-3").optimizer == Adam(lr=1e-3, eps=4.8e-3)
    assert agent("drqn", "optimizer.lr=1e-3").optimizer == Adam(lr=1e-3, clip_norm=10.0)
    assert agent("pqn", "stream.num_envs=4").stream == RolloutsConfig(num_envs=4, length=16)
    assert agent("pqn", "exploration.steps=9").exploration == Linear(start=1.0, end=0.001, steps=9)
    assert agent("pqn", "backbone={name: nature, hidden: 9}").backbone == Nature(hidden=9, norm="layer")
    assert agent("rainbow", "optimizer.eps=1e-8", "stream={}").optimizer == Adam(lr=6.25e-5, eps=1e-8)
    file = tmp_path / "mine.yaml"
    file.write_text("steps: 1\nenv: {name: catch}\nagent:\n  name: rainbow\n  stream: {batch_size: 64}\n")
    assert resolve([file], ["agent.optimizer.lr=1e-3"]).agent == agent(
        "rainbow", "stream={batch_size: 64}", "optimizer={lr: 1e-3, eps: 4.8e-3}"
    )


def test_a_section_in_a_section_keeps_its_defaults_too():
    stream = agent("rainbow", "stream.importance_exponent.steps=7", "stream.replay.num_envs=2").stream
    assert stream == PrioritizedConfig(
        importance_exponent=Linear(start=0.4, end=1.0, steps=7), replay=ReplayConfig(num_envs=2)
    )
    chosen = agent("rainbow", "exploration={name: epsilon_greedy, epsilon: {steps: 7}}").exploration
    assert chosen == EpsilonGreedy(epsilon=Linear(start=1.0, end=0.1, steps=7))


def test_a_default_inside_a_default_counts_and_not_its_classs_own():
    class Inner(Config):
        a: int = 1
        b: int = 1
        c: int = 1

    class Outer(Config):
        inner: Inner = Inner(b=2)
        spare: int = 1

    class Whole(Config):
        outer: Outer = Outer(inner=Inner(c=3))

    assert completed(Whole, {}) == {}
    assert completed(Whole, {"outer": {"spare": 5}}) == {"outer": {"spare": 5, "inner": {"a": 1, "b": 1, "c": 3}}}
    assert completed(Whole, {"outer": {"inner": {"a": 5}}}) == {"outer": {"inner": {"a": 5, "c": 3}}}


def test_another_choice_has_its_own_defaults():
    assert agent("pqn", "optimizer.name=centered_rmsprop").optimizer == CenteredRMSProp()
    assert agent("pqn", "backbone={name: mlp, hidden: [9]}").backbone == MLP(hidden=(9,))
    assert agent("dqn", "exploration.base=0.3").exploration == ApexEpsilon(base=0.3)
    assert agent("dqn", "exploration.end=0.3").exploration == Linear(start=1.0, end=0.3, steps=1_000_000)
    assert agent("rainbow", "head={name: scalar, hidden: null}").head == Scalar(hidden=None)


def test_a_default_that_does_not_go_with_what_is_given_is_told_where_that_was_written():
    words = ["steps=1", "env.name=catch", "agent.name=pqn", "agent.stream.num_envs=1", "agent.num_minibatches=17"]
    assert "agent: num_minibatches=17 is more than the 16 steps of a batch" in refused([], words)
    assert refused([], ["steps=1", "env.name=catch", "agent.name=rainbow", "agent.head.maximum=-20"]) == (
        "command line: agent.head.maximum=-20: agent.head: minimum must be below maximum, got -10 and -20."
    )


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
        "  x.yaml:7: env.blnd: unknown option. Did you mean 'env.blind'?\n"
        "  x.yaml:9: agent.name: unknown agent 'ramdom'. Did you mean 'random'? See `sandbox list agent`.\n"
        "  command line: logger.wandb=of: needs 'auto', 'online', 'offline' or 'off', got 'of'. Did you mean 'off'?"
    )


def known(family):
    return ", ".join(registry.names(family))


@pytest.mark.parametrize(
    ("key", "family", "word", "near"),
    [
        ("env", "envs", "cacth", "catch"),
        ("agent", "agents", "ramdom", "random"),
        ("generator", "generators", "vea", "vae"),
        ("data", "data", "digit", "digits"),
    ],
)
def test_unknown_members(key, family, word, near):
    others = {"env": "agent", "agent": "env", "generator": "data", "data": "generator"}
    partner = {"env": "catch", "agent": "random", "generator": "vae", "data": "digits"}[others[key]]
    message = refused([], ["steps=1", f"{key}.name={word}", f"{others[key]}.name={partner}"])
    end = f"unknown {key} '{word}'. Did you mean '{near}'? See `sandbox list {key}`."
    assert message == f"command line: {key}.name={word}: {end}"


def test_a_section_needs_a_name():
    assert refused([], ["steps=1", "env.name=catch", "agent.lr=3"]) == (
        f"command line: agent.lr=3: agent.name: missing. Known: {known('agents')}."
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


def test_a_null_section_is_left_out():
    assert resolve([], [*CATCH, "data=null"]) == resolve([], CATCH)


def test_the_sections_decide_the_kind_of_run():
    assert isinstance(resolve([], CATCH), AgentRun)
    generator = resolve([], DIGITS)
    assert isinstance(generator, GeneratorRun)
    assert not {"env", "agent", "demos"} & dict(generator).keys()


def test_an_option_of_the_other_kind_of_run_is_told_with_the_rest():
    assert refused([], [*DIGITS, "demos=a.npz", "seed=-1"]) == (
        "2 mistakes:\n  command line: seed=-1: needs a value >= 0, got -1.\n"
        "  command line: demos=a.npz: only a run that trains an agent has this option; leave it out."
    )


def test_what_only_one_kind_of_run_can_do():
    agent_run, generator_run = resolve([], CATCH), resolve([], DIGITS)
    assert agent_run.require_agent("x") is agent_run
    assert generator_run.require_generator("x", "y") is generator_run
    with pytest.raises(UserError, match=r"^--vs: x is a generator and cannot play; give an agent's run$"):
        generator_run.require_agent("--vs: x")
    with pytest.raises(UserError, match=r"^x is an agent and cannot draw. To see it play: `sandbox watch x`$"):
        agent_run.require_generator("x", "draw")


def test_a_member_by_itself():
    assert member("envs", {"name": "catch", "blind": True}, "data.env").blind
    with pytest.raises(UserError) as error:
        member("envs", {"name": "catch", "blnd": True, "observe": 3}, "data.env", ("data", "env"))
    assert str(error.value) == (
        "2 mistakes:\n  data.env: observe: needs 'pixels' or 'features', got 3.\n"
        "  data.env: blnd: unknown option. Did you mean 'data.env.blind'?"
    )
