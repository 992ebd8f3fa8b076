"""`sandbox.sweep` from Python."""

import pytest
from tiny_runs import TINY

import sandbox
from sandbox.config.files import load

OPTIONS, _ = load([], TINY[1:], {})


def test_a_grid(tmp_path):
    given = {**OPTIONS, "name": "mine"}
    result = sandbox.sweep("catch_dqn", {"seed": range(2)}, given, jobs=2, runs=tmp_path, quiet=True)
    assert (result.path, result.metric, result.failed) == (tmp_path / "sweeps" / "mine", "env/return", {})
    (setting,) = result.settings
    assert (setting["options"], setting["runs"], len(setting["scores"])) == ({}, ["mine_s0", "mine_s1"], 2)
    assert [run.config.seed for run in result.runs(0)] == [0, 1]
    again = sandbox.sweep("catch_dqn", {"seed": range(2)}, given, jobs=2, runs=tmp_path, quiet=True)
    assert again == result


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"agent.optimizer.lr": 1e-3}, "agent.optimizer.lr: needs a list of values, got 0.001"),
        ({"env.observe": "features"}, "env.observe: needs a list of values, got 'features'"),
        ({"seed": []}, "options: parameters.seed: values is empty; give at least one."),
        ({"seed": [1, 1]}, "options: parameters.seed: 1 comes twice; give each value once."),
        ({"name": ["a", "b"]}, "options: parameters: a sweep names its runs itself; leave the parameter name out."),
        (
            {},
            "options: parameters: there are none; give an option with several values, such as seed: {values: [0, 1]}.",
        ),
        ({"agent.lr": [1, 2]}, "options: agent.lr=1: unknown option. Did you mean 'agent.optimizer.lr'"),
    ],
)
def test_mistakes(tmp_path, parameters, message):
    with pytest.raises(sandbox.UserError) as found:
        sandbox.sweep("catch_dqn", parameters, {"name": "mine"}, runs=tmp_path, quiet=True)
    assert str(found.value).splitlines()[0].startswith(message)
    assert not list(tmp_path.iterdir())


def test_jobs_are_checked(tmp_path):
    with pytest.raises(sandbox.UserError, match=r"--jobs 0: at least one run is trained at a time"):
        sandbox.sweep("catch_dqn", {"seed": [1, 2]}, jobs=0, runs=tmp_path, quiet=True)
