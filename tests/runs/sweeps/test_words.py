"""Options with several values, as they are typed."""

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.sweeps.words import split_options


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("seed=0..3", [0, 1, 2, 3]),
        ("seed=-1..1", [-1, 0, 1]),
        ("seed=4..4", [4]),
        ("seed=0..1,7", [0, 1, 7]),
        ("agent.optimizer.lr=1e-4,3e-4", [0.0001, 0.0003]),
        ("env.observe=features,pixels", ["features", "pixels"]),
        ("agent.backbone.hidden=[8],[8, 8]", [[8], [8, 8]]),
        ("agent.backbone={name: mlp, hidden: [8, 8]},{name: nature}", [{"name": "mlp", "hidden": [8, 8]}, ...]),
        ("env.id='a,b',c", ["a,b", "c"]),
        ("env.blind=true,1", [True, 1]),
    ],
)
def test_several_values(word, values):
    fixed, varied = split_options([word])
    (found,) = varied.values()
    assert fixed == []
    assert len(found) == len(values)
    assert all(type(a) is type(b) and a == b for a, b in zip(found, values, strict=True) if b is not ...)


@pytest.mark.parametrize("word", ["steps=5", "agent.backbone.hidden=[8, 8]", "data.root=../pets", "env.id='a,b'", "a="])
def test_one_value_stays_the_word_that_it_is(word):
    assert split_options([word]) == ([word], {})


def test_the_last_word_of_an_option_counts():
    assert split_options(["seed=0..1", "seed=5"]) == (["seed=5"], {})
    assert split_options(["seed=5", "seed=0..1"]) == ([], {"seed": [0, 1]})


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("seed=9..0", "command line: seed=9..0: 9..0 is an empty range; the smaller number comes first: 0..9"),
        ("seed=1,2,1", "command line: seed=1,2,1: 1 comes twice; give each value once"),
        ("seed=0..3,2", "command line: seed=0..3,2: 2 comes twice; give each value once"),
        ("seed=0..10000", "command line: seed=0..10000: 0..10000 has 10,001 values, and a sweep at most 10,000 runs"),
        ("name=a,b", "command line: name=a,b: a sweep has one name; its runs are named after it"),
    ],
)
def test_mistakes(word, message):
    with pytest.raises(UserError) as found:
        split_options([word])
    assert str(found.value) == message
