"""Words that are the names of something else, and misspelled ones: what they are, and the command that takes them."""

import pytest

from sandbox.cli._kinds import configs_with
from sandbox.runs import registry
from sandbox.storage.run_folder import RunFolder


def error(said):
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    return said.err.removeprefix("error: ").rstrip("\n")


@pytest.mark.parametrize("family", ["envs", "agents", "generators", "data", "wrappers"])
def test_training_a_member_names_configs_or_a_command(sandbox, tmp_path, family):
    noun = registry.FAMILIES[family].noun
    for name in registry.names(family)[::3]:
        if name not in registry.configs():
            message = error(sandbox("train", name))
            assert f"{name!r} is a{'n' if noun[0] in 'aeiou' else ''} {noun}, not a config." in message
            assert "`sandbox train " in message or "env.wrappers=" in message
    assert not (tmp_path / "runs").exists()


def test_catch_trains_by_its_configs(sandbox):
    assert error(sandbox("train", "catch")) == (
        "'catch' is an environment, not a config. These configs use it: catch_dqn, catch_iqn, catch_sb3 and "
        f"{len(configs_with('env', 'catch')) - 3} more. Train one with `sandbox train catch_dqn`."
    )
    assert "catch_sb3" in configs_with("agent", "sb3")


def test_a_run_is_resumed_and_not_trained(sandbox, tmp_path):
    RunFolder.create(tmp_path / "runs", "mine", config="steps: 1\n", command=[])
    assert error(sandbox("train", "mine")) == "'mine' is a run, not a config: go on with `sandbox resume mine`."
    assert error(sandbox("play", "mine")) == (
        "'mine' is a run, not an environment. See it with `sandbox watch mine`, where t gives you the controls. "
        "Against an agent of pong you play with `sandbox play pong --vs mine`."
    )


@pytest.mark.parametrize(
    ("word", "way_on"),
    [
        ("vae", "'vae' is a generator, not an environment. Train it with `sandbox train digits_vae`, then see it with"),
        ("dqn", "'dqn' is an agent, not an environment. Train it with `sandbox train catch_dqn`, then see it with"),
        ("catch_dqn", "'catch_dqn' is a config, not an environment. Play its environment with `sandbox play catch`."),
        ("digits_vae", "'digits_vae' is a config, not an environment. Play its environment with `sandbox list envs`."),
        ("digits", "'digits' is a data set, not an environment. See `sandbox show digits`."),
        ("CartPole-v1", "no environment is called 'CartPole-v1' here. Did you mean `sandbox play gym id=CartPole-v1`?"),
        ("pogn", "no environment is called 'pogn'. Did you mean 'pong'? See `sandbox list envs`."),
    ],
)
def test_only_environments_are_played(sandbox, word, way_on):
    assert error(sandbox("play", word)).startswith(way_on)


@pytest.mark.parametrize(
    "words",
    [["train", "cacth_dqn"], ["show", "cacth"], ["train", "catch_dqn", "agent.name=dqnn"], ["play", "snaek"]],
)
def test_a_misspelled_name_gets_three_names_at_most(sandbox, words):
    message = error(sandbox(*words))
    assert " Did you mean " in message
    assert len([name for name in registry.configs() if f"'{name}'" in message]) <= 3
    assert len(message) < 200
    assert "See `sandbox list" in message


@pytest.mark.parametrize("option", ["--steps", "--seed", "--agent.optimizer.lr", "--total-timesteps"])
def test_options_of_a_config_need_no_dashes(sandbox, option):
    key = option.strip("-").replace("-", "_")
    for words in ([option, "10"], [f"{option}=10"]):
        said = error(sandbox("train", "catch_dqn", *words))
        assert said.startswith(
            f"`sandbox train` has no option {option}. Options of a config are written without dashes"
        )
        assert f": `sandbox train catch_dqn {key}=10`" in said


@pytest.mark.parametrize(
    ("files", "overrides", "origin"),
    [
        (["catch_dqn"], ["env.name=gym"], "command line: env.name=gym: env.id: missing"),
        (["catch_dqn"], ["generator.name=vae"], "command line: generator.name=vae: give either"),
        (["catch_dqn"], ["agent=null"], "command line: agent=null: give either"),
        (["digits_vae"], ["data=null"], "command line: data=null: give either"),
        ([], ["steps=1", "env.name=catch", "agent.lr=3"], "command line: agent.lr=3: agent.name: missing"),
    ],
)
def test_the_origin_is_the_word_that_was_typed(sandbox, files, overrides, origin):
    assert error(sandbox("train", *files, *overrides)).startswith(origin)


def test_the_origin_is_the_line_of_the_file(sandbox, tmp_path):
    (tmp_path / "mine.yaml").write_text("steps: 10\nenv:\n  name: gym\nagent:\n  name: dqn\n")
    assert error(sandbox("train", "mine.yaml", "seed=1")).startswith("mine.yaml:2: env.id: missing")
