"""Group and type that the runs of a sweep have in Weights & Biases."""

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.sweeps import start
from sandbox.runs.sweeps.schedule import Workers

CONFIG = "env: {name: catch}\nagent: {name: dqn}\nsteps: 10\n"


@pytest.fixture
def logged(monkeypatch, tmp_path):
    """Return the logger options of the first run of a sweep, which is not trained."""
    seen = []

    class BegunError(Exception):
        pass

    def child(run, config, *_):
        seen.append((config.logger, [word for word in run.words if word.startswith("logger.")]))
        raise BegunError

    monkeypatch.setattr(start, "Child", child)
    (tmp_path / "own.yaml").write_text(CONFIG + "logger: {group: mine, job_type: probe}\n")
    (tmp_path / "plain.yaml").write_text(CONFIG)

    def options(name, *words, parameters=None):
        given = {"seed": [0, 1], **(parameters or {})}
        definition = start.of_python([str(tmp_path / f"{name}.yaml")], given, words, "rates")
        runs = tmp_path / f"runs_{len(seen)}"
        with pytest.raises(BegunError):
            start.sweep(definition, runs, [], Workers(1), quiet=True)
        return seen[-1]

    return options


def test_the_group_is_the_name_of_the_sweep(logged):
    logger, words = logged("plain")
    assert (logger.group, logger.job_type) == ("rates", "train")
    assert words == ["logger.group=rates", "logger.job_type=train"]  # a process of its own is told them


def test_what_the_user_has_set_stays(logged):
    logger, words = logged("own")
    assert (logger.group, logger.job_type, words) == ("mine", "probe", [])
    logger, _ = logged("plain", "logger.group=other")
    assert (logger.group, logger.job_type) == ("other", "train")


def test_a_parameter_of_the_sweep_stays(logged):
    logger, _ = logged("plain", parameters={"logger.group": ["a", "b"]})
    assert logger.group == "a"


def test_without_wandb_nothing_is_added(logged):
    assert logged("plain", "logger.wandb=off")[1] == ["logger.wandb=off"]


def test_mistakes_are_those_of_the_plan(tmp_path):
    definition = start.of_python(["catch_dqn"], {"seed": [0], "agent.discoun": [0.9]}, [], "rates")
    with pytest.raises(UserError, match=r"agent\.discoun"):
        start.sweep(definition, tmp_path, [], Workers(1), quiet=True)
