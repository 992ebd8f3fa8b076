"""Differences between runs, and runs that cannot be compared."""

import numpy as np
import pytest

from sandbox.core.errors import UserError
from sandbox.runs.comparison import Evaluated, compare, names_of, require_comparable, shared_figures
from sandbox.storage.run_folder import RunFolder

AGENT = "steps: 9\nname: {name}\nenv: {env}\nagent: {{name: {agent}}}\n"
GENERATOR = "steps: 9\nname: {name}\ndata: {data}\ngenerator: {{name: {generator}}}\n"


@pytest.fixture
def folder(tmp_path):
    def make(name, env="{name: catch}", agent="dqn", data=None, generator="vae"):
        text = AGENT.format(name=name, env=env, agent=agent)
        if data:
            text = GENERATOR.format(name=name, data=data, generator=generator)
        return RunFolder.create(tmp_path / "runs", name, config=text, command=[])

    return make


def agent(name, returns):
    return Evaluated(name, {"return_mean": float(np.mean(returns))}, np.array(returns, float))


def test_episodes_are_compared_in_pairs():
    """The returns differ much from episode to episode, and by exactly 1 or 2 between the agents."""
    ours = np.arange(40.0)
    (difference,) = compare([agent("a", ours), agent("b", ours + 1 + np.arange(40) % 2)])
    assert difference.value == 1.5
    deviation = np.sqrt(0.25 * 40 / 39)
    assert difference.ci95 == pytest.approx(1.96 * deviation / np.sqrt(40))
    assert difference.better == "b"
    assert difference.words == "Return: b is better than a by 1.5 ± 0.16 (40 episodes in pairs)"


def test_each_run_is_compared_with_the_first_one():
    zero, one = np.zeros(40), np.ones(40)
    found = compare([agent("a", one), agent("b", zero), agent("c", one)])
    assert [(each.first, each.second, each.better) for each in found] == [("a", "b", "a"), ("a", "c", None)]
    assert found[0].words == "Return: a is better than b by 1 ± 0 (40 episodes in pairs)"
    assert found[1].words == ("Return: no difference between a and c can be seen in 40 episodes in pairs (0 ± 0)")


@pytest.mark.parametrize("count", [1, 2, 19])
def test_few_episodes_show_nothing(count):
    (difference,) = compare([agent("a", np.zeros(count)), agent("b", np.ones(count))])
    assert difference.better is None
    assert difference.words == f"Return: {count} episodes are too few to compare a with b: add --episodes 200"


def test_equal_agents_are_rarely_called_different():
    rng = np.random.default_rng(0)
    pairs = [compare([agent("a", rng.normal(size=50)), agent("b", rng.normal(size=50))])[0] for _ in range(400)]
    assert 0.02 < np.mean([each.better is not None for each in pairs]) < 0.09  # 5 %, and a little for 1.96


def test_generators_by_figures_with_intervals():
    """3 and 4 make 5; fewer errors are better; figures without intervals are in the table only."""
    a = {
        "images": 300,
        "error": 0.30,
        "error_ci95": 0.03,
        "log_likelihood": -80.0,
        "log_likelihood_ci95": 3.0,
        "fcd": 1.0,
    }
    b = {
        "images": 300,
        "error": 0.10,
        "error_ci95": 0.04,
        "log_likelihood": -84.0,
        "log_likelihood_ci95": 4.0,
        "fcd": 2.0,
    }
    runs = [Evaluated("a", a), Evaluated("b", b)]
    assert shared_figures(runs) == ["error", "log_likelihood", "fcd"]
    error, likelihood = compare(runs)
    assert (error.better, error.ci95) == ("b", pytest.approx(0.05))
    assert error.words == "Classification error: b is better than a by 0.2 ± 0.05 (300 images)"
    assert (likelihood.better, likelihood.ci95) == (None, 5.0)
    assert likelihood.words == ("Log-likelihood: no difference between a and b can be seen in 300 images (4 ± 5)")


def test_figures_of_two_classifiers_are_not_shared(capsys):
    runs = [Evaluated(n, {"fcd": 1.0, "error": 0.5, "fcd_classifier": n, "images": 30}) for n in "ab"]
    assert shared_figures(runs) == ["error"]
    assert "different classifiers" in capsys.readouterr().err


def test_figures_that_one_run_lacks_are_left_out():
    runs = [Evaluated("a", {"elbo": 1.0, "fcd": 1.0}), Evaluated("b", {"fcd_missing": "too few", "elbo": 2.0})]
    assert shared_figures(runs) == ["elbo"]


@pytest.mark.parametrize(
    ("first", "second", "overrides", "message"),
    [
        (
            {},
            {"env": "{name: snake}"},
            [],
            "a (catch) and b (snake) have different environments: evaluate each alone, such as `sandbox evaluate b`",
        ),
        (
            {},
            {"env": "{name: catch, blind: true}"},
            [],
            "a and b have different environments (env.blind is false and true): add env.blind=false to evaluate both "
            "alike, or evaluate each alone",
        ),
        (
            {},
            {"env": "{name: catch, wrappers: [{flicker: {p: 0.5}}]}"},
            [],
            "a and b have different environments (env.wrappers is [] and [{flicker: {p: 0.5}}]): add "
            "'env.wrappers=[]' to evaluate both alike, or evaluate each alone",
        ),
        ({}, {"env": "{name: catch, blind: true}"}, ["env.blind=true"], None),
        ({}, {"env": "{name: catch, observe: features}", "agent": "pqn"}, [], None),
        ({}, {"env": "{name: catch, wrappers: [{previous_action_reward: {}}]}"}, [], None),
        (
            {},
            {"data": "{name: digits}"},
            [],
            "a is an agent and b is a generator, which have no figure in common: `sandbox evaluate a` and "
            "`sandbox evaluate b` evaluate each alone",
        ),
        (
            {"data": "{name: digits}"},
            {"data": "{name: gaussian_ring}"},
            [],
            "a (digits) and b (gaussian_ring) have different data sets: evaluate each alone, such as "
            "`sandbox evaluate b`",
        ),
        (
            {"data": "{name: digits, binarize: threshold}"},
            {"data": "{name: digits, binarize: sample}"},
            [],
            "a and b have different data sets (data.binarize is threshold and sample): add data.binarize=threshold to "
            "evaluate both alike, or evaluate each alone",
        ),
    ],
)
def test_runs_must_have_the_same_source(folder, first, second, overrides, message):
    folders = [folder("a", **first), folder("b", **second)]
    if message is None:
        assert len(require_comparable(folders, overrides)) == 2
        return
    with pytest.raises(UserError) as refused:
        require_comparable(folders, overrides)
    assert str(refused.value) == message


def test_a_run_is_not_compared_with_itself(folder):
    one = folder("a")
    with pytest.raises(UserError, match="a is given twice: give each run once"):
        require_comparable([one, folder("b"), RunFolder(one.path)], [])


def test_runs_of_the_same_name_are_told_apart(tmp_path):
    """`evaluate old/a new/a` names their folders in every sentence."""
    text = AGENT.format(name="a", env="{name: catch}", agent="dqn")
    folders = [RunFolder.create(tmp_path / each, "a", config=text, command=[]) for each in ("old", "new")]
    other = AGENT.format(name="a", env="{name: catch, blind: true}", agent="dqn")
    folders.append(RunFolder.create(tmp_path / "blind", "a", config=other, command=[]))
    old, new, blind = (str(folder.path) for folder in folders)
    assert names_of(folders) == [old, new, blind]
    with pytest.raises(UserError) as refused:
        require_comparable([folders[0], folders[2]], [])
    assert str(refused.value).startswith(f"{old} and {blind} have different environments")
    with pytest.raises(UserError, match="is given twice"):
        require_comparable([folders[0], folders[0]], [])


def test_rounding_is_no_difference():
    """The same rewards in another order."""
    one, other = 0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1
    assert one != other
    (difference,) = compare([agent("a", [one] * 40), agent("b", [other] * 40)])
    assert (difference.value, difference.better) == (0, None)
