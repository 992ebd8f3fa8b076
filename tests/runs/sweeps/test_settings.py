"""The settings of a grid, and the names of their runs."""

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.sweeps.settings import grid
from sandbox.runs.sweeps.start import of_python


def names(parameters, name="x"):
    settings = grid(of_python(["catch_dqn"], parameters, [], name))
    return [run.name for setting in settings for run in setting.runs]


def test_names_say_what_differs():
    assert names({"seed": [0, 1]}) == ["x_s0", "x_s1"]
    assert names({"agent.optimizer.lr": [0.0001, 1e-5], "seed": [3]}) == ["x_lr_0.0001_s3", "x_lr_1e-05_s3"]
    assert names({"agent.discount": [0.9], "steps": [5, 6]}) == ["x_steps_5", "x_steps_6"]
    assert names({"a.name": ["u"], "b.name": ["v", "w"], "c.name": ["y", "z"]})[0] == "x_b.name_v_c.name_y"
    assert names({"agent.backbone.hidden": [[8], [8, 8]]}) == ["x_hidden_8", "x_hidden_8-8"]
    assert names({"a": [1e30, 1e-30]}) == ["x_a_1e30", "x_a_1e-30"]
    assert names({"a": [-1, 1]}) == ["x_a_-1", "x_a_1"]


def test_long_names_are_numbers():
    found = names({"agent.first": ["a" * 60, "b"], "agent.second": ["c" * 60, "d"], "seed": [7]})
    assert found == ["x_0_s7", "x_1_s7", "x_2_s7", "x_3_s7"]


def test_words_of_a_run_are_those_of_train():
    settings = grid(of_python(["catch_dqn"], {"agent.backbone.hidden": [[8, 8]], "seed": [0, 1]}, ["steps=5"], "x"))
    assert settings[0].runs[1].words == ("steps=5", "agent.backbone.hidden=[8, 8]", "seed=1")


def test_two_settings_of_one_name():
    with pytest.raises(UserError) as found:
        names({"env.id": ["a/b", "a%b", "c"]})
    assert str(found.value) == (
        "two settings would have runs of one name, id_a-b: env.id=a/b and env.id=a%b. "
        "Train them in two sweeps, each with a name=... of its own"
    )


def test_too_many_runs():
    with pytest.raises(UserError) as found:
        names({"seed": range(200), "steps": range(1, 100)})
    assert str(found.value) == "this sweep has 19,800 runs, and may have 10,000 at most: give fewer values"
