"""Files like W&B's sweep.yaml."""

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.sweeps.settings import grid
from sandbox.runs.sweeps.sweep_folder import read_definition

RANDOM = "method: random\nrun_cap: 3\n"
BAYES = "method: bayes\nrun_cap: 3\nmetric: {name: eval/return, goal: maximize}\n"


def read(tmp_path, text):
    (tmp_path / "sweep.yaml").write_text(text)
    return read_definition(tmp_path / "sweep.yaml")


def test_the_words_of_wandb(tmp_path):
    found = read(
        tmp_path,
        BAYES
        + """config: catch_dqn
early_terminate: {type: hyperband, min_iter: 2, eta: 3}
parameters:
  steps: {value: 100}
  agent:
    parameters:
      discount: {values: [0.9, 0.99]}
      optimizer:
        parameters:
          lr: {min: 1e-4, max: 1e-2, distribution: log_uniform_values}
          clip_norm: {min: 1, max: 10}
          eps: {min: 0.1, max: 1}
""",
    )
    assert found.config == ("catch_dqn",)
    assert {key: parameter.kind for key, parameter in found.parameters.items()} == {
        "steps": "constant",
        "agent.discount": "categorical",
        "agent.optimizer.lr": "log_uniform_values",
        "agent.optimizer.clip_norm": "int_uniform",
        "agent.optimizer.eps": "uniform",
    }


def test_a_grid_lists_whole_numbers(tmp_path):
    found = read(tmp_path, "name: x\nparameters: {seed: {min: 0, max: 1}, steps: {min: 3, max: 5}}\n")
    assert [setting.options for setting in grid(found)] == [{"steps": 3}, {"steps": 4}, {"steps": 5}]
    assert [run.name for run in grid(found)[0].runs] == ["x_steps_3_s0", "x_steps_3_s1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "parameters: {}\n",
            "1: parameters: there are none; give an option with several values, such as seed: {values: [0, 1]}.",
        ),
        ("methode: grid\nparameters: {a: {value: 1}}\n", "1: methode: unknown option. Did you mean 'method'?"),
        ("parameters:\n  a: {values: []}\n", "2: parameters.a: values is empty; give at least one."),
        ("parameters:\n  a: {values: [1, 1]}\n", "2: parameters.a: 1 comes twice; give each value once."),
        ("parameters:\n  a: {}\n", "2: parameters.a: give one of values, value, or min with max."),
        ("parameters:\n  a: {min: 1}\n", "2: parameters.a: give one of values, value, or min with max."),
        ("parameters:\n  a: {value: 1, values: [1]}\n", "2: parameters.a: give one of values, value, or min with max."),
        (
            "parameters:\n  a: {min: 2, max: 1}\n",
            "2: parameters.a: the range from 2 to 1 is empty; min is the smaller number.",
        ),
        (
            "parameters:\n  a: {values: [1], distribution: uniform}\n",
            "2: parameters.a: the distribution uniform does not go with values.",
        ),
        (
            RANDOM + "parameters:\n  a: {min: 0, max: 1, distribution: log_uniform_values}\n",
            "4: parameters.a: log_uniform_values needs a min above 0.",
        ),
        (
            RANDOM + "parameters:\n  a: {min: 0.5, max: 1, distribution: int_uniform}\n",
            "4: parameters.a: int_uniform needs whole numbers for min and max.",
        ),
        (
            RANDOM + "parameters:\n  a: {min: 0.5, max: 1, q: 2}\n",
            "4: parameters.a: q belongs to the distribution q_uniform, not to uniform.",
        ),
        (
            "parameters:\n  name: {values: [a, b]}\n",
            "1: parameters: a sweep names its runs itself; leave the parameter name out.",
        ),
    ],
)
def test_mistakes_have_a_line(tmp_path, text, message):
    with pytest.raises(UserError) as found:
        read(tmp_path, text)
    assert str(found.value) == f"{tmp_path}/sweep.yaml:{message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "parameters: {a: {min: 0.5, max: 1}}\n",
            "a grid needs the values of a; give a list, or method random or bayes.",
        ),
        (
            "run_cap: 3\nparameters: {a: {value: 1}}\n",
            "a grid trains all its runs; run_cap needs method random or bayes.",
        ),
        (
            "early_terminate: {type: median}\nparameters: {a: {value: 1}}\n",
            "a grid trains all its runs; early_terminate needs method random or bayes.",
        ),
        (
            "method: random\nparameters: {a: {min: 1, max: 2}}\n",
            "method random needs run_cap, the number of trials.",
        ),
        (
            "method: bayes\nrun_cap: 3\nparameters: {a: {min: 1, max: 2}}\n",
            "method bayes needs a metric, such as metric: {name: eval/return, goal: maximize}.",
        ),
        (
            RANDOM + "early_terminate: {type: median}\nparameters: {a: {min: 1, max: 2}}\n",
            "early_terminate needs a metric, such as metric: {name: eval/return, goal: maximize}.",
        ),
        (
            RANDOM + "parameters: {a: {value: 1}, seed: {values: [1, 2]}}\n",
            "there is nothing to search: no parameter but seed has several values.",
        ),
    ],
)
def test_mistakes_of_the_whole(tmp_path, text, message):
    with pytest.raises(UserError) as found:
        read(tmp_path, text)
    assert str(found.value).endswith(f": {message}")
