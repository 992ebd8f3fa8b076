"""Groups of runs, and differences between configs."""

from sandbox.report.groups import differences, grouped, source_label
from sandbox.report.run_record import RunRecord


def read(*folders):
    return [RunRecord.read(folder) for folder in folders]


def test_runs_that_differ_in_seed_and_name_alone_are_one_group(make):
    records = read(
        make("fast_s1", seed=1, lr=0.1),
        make("slow_s0"),
        make("fast_s0", lr=0.1),
        make("another", seed=7, lr=0.1),
    )
    fast, slow = grouped(records)
    assert [record.name for record in fast.records] == ["fast_s0", "fast_s1", "another"]
    assert (fast.label, fast.seeds) == ("dqn on catch", "0, 1, 7")  # their names have nothing in common
    assert (slow.label, slow.seeds) == ("slow_s0", "0")


def test_a_group_is_called_as_its_runs_without_the_seed(make):
    (group,) = grouped(read(make("catch_dqn_s0"), make("catch_dqn_s1", seed=1)))
    assert group.label == "catch_dqn"


def test_no_two_groups_are_called_alike(make):
    records = read(*(make(f"a{n}{lr}", seed=n, lr=lr) for lr in (0.1, 0.2) for n in "12"))
    records += read(
        *(make(f"b_s{n}", seed=n, lr=0.3) for n in (1, 2)),
        *(make(f"c{n}", seed=seed, lr=0.4) for seed, n in enumerate("ab")),
    )
    labels = [group.label for group in grouped(records)]
    assert len(set(labels)) == len(labels) == 4


def test_differences_by_hand():
    """An absent section has no options; values differ if their YAML differs."""
    one = {"steps": 5, "agent": {"name": "dqn", "lr": 0.5, "hidden": [1, 2]}, "data": None}
    two = {"steps": 5, "agent": {"name": "pqn", "lr": 0.5, "hidden": [1, 3], "clip": None}, "data": None}
    assert differences([one, two]) == {
        "agent.name": ["dqn", "pqn"],
        "agent.hidden": ["[1, 2]", "[1, 3]"],
        "agent.clip": ["-", "null"],
    }
    assert differences([{"x": True}, {"x": "true"}]) == {"x": ["true", '"true"']}
    assert differences([one, one]) == {}


def test_the_most_important_metric(make):
    (group,) = grouped(read(make("a", [1.0, 2.0]), make("b", seed=1, steps=200)))
    assert group.main_metric == "env/return"
    (nothing,) = grouped(read(make("c", lr=1)))
    assert nothing.main_metric is None


def test_the_label_of_a_source():
    assert (
        source_label({"name": "gym", "id": "LunarLander-v3", "options": {}, "wrappers": []})
        == "gym (id=LunarLander-v3)"
    )
    assert source_label({"name": "catch", "blind": False}) == "catch"
