"""Titles of reports."""

import pytest

from sandbox.report.run_record import RunRecord
from sandbox.report.title import listed, report_title


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("a", "a"),
        ("ab", "a and b"),
        ("abc", "a, b and c"),
        ("abcd", "a, b, c and d"),
        ("abcdef", "a, b, c and 3 others"),
    ],
)
def test_lists(words, text):
    assert listed(list(words)) == text


def test_titles_name_learners_and_sources(make):
    runs = [make("a"), make("b", learner="pqn"), make("c", learner="dqn", seed=1)]
    generator = make("g", generator=True, learner="vae")
    game = make("l")
    game.config.write_text(game.config.read_text().replace("name: catch", "name: gym, id: LunarLander-v3"))

    def title(*folders):
        return report_title([RunRecord.read(folder) for folder in folders])

    assert title(runs[0]) == "a: dqn on catch"
    assert title(*runs) == "dqn and pqn on catch: 3 runs"
    assert title(game, generator) == "dqn on LunarLander-v3; vae on digits: 2 runs"
