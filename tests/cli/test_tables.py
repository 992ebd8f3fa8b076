"""Tables on a terminal: no number and no word is broken, whatever the width."""

import os
import random
import re

import pytest

from sandbox.cli import _print
from sandbox.cli._app import app


@pytest.fixture(scope="module")
def at_width():
    """Print on a terminal of some width, and return the lines."""

    def run(width, print_it):
        said: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_print, "_width", lambda: width)
            patch.setattr(_print, "say", lambda text="", **_: said.extend(str(text).split("\n")))
            print_it()
        return said

    return run


@pytest.mark.parametrize("seed", range(5))
def test_words_stay_whole_and_lines_within_the_width(at_width, seed):
    rng = random.Random(seed)
    for _ in range(100):
        columns, width = rng.randint(1, 6), rng.randint(40, 120)
        rows = [[cell(rng) for _ in range(columns)] for _ in range(rng.randint(0, 4))]
        headers = [f"h{number}" for number in range(columns)] if rng.random() < 0.5 else []
        lines = at_width(width, lambda: _print.table(rows, headers, indent=2))  # noqa: B023
        words = [word for row in rows for text in row for word in text.split()]
        assert set(words) <= {word for line in lines for word in line.split()}
        assert all(len(line) <= width for line in lines), (rows, width)


def cell(rng):
    """Up to eight words, as long as names and numbers are."""
    lengths = [rng.randint(1, 25) for _ in range(rng.choice([0, 1, 1, 2, 8]))]
    return " ".join("".join(rng.choices("az09/=._,", k=length)) for length in lengths)


def test_a_row_that_is_too_wide_says_what_its_cells_are(at_width):
    row = [
        "0f1efb",
        "a_run_with_quite_a_long_name_s0",
        "dqn",
        "catch",
        "120000/120000",
        "eval/return=1",
        "5 min",
        "done",
    ]
    headers = ("id", "name", "learner", "source", "steps", "score", "age", "state")
    assert at_width(80, lambda: _print.table([row], headers)) == [
        "0f1efb  name a_run_with_quite_a_long_name_s0  learner dqn  source catch",
        "    steps 120000/120000  score eval/return=1  age 5 min  state done",
    ]


def test_a_word_wider_than_the_terminal_stays_whole(at_width):
    path = "a/" * 40
    assert any(path in line for line in at_width(40, lambda: _print.table([["name", path, "and more"]])))


def test_docstrings_wrap_between_words(at_width):
    text = (
        "Catch: a ball falls, and a paddle at the bottom must be under it. The smallest environment with pixels.\n"
        "\n"
        "Rules: The board has 9 rows and 5 columns. A ball starts in the top row, in a random column, and falls one\n"
        "    row per step.\n"
        "Reward: +1 when the ball lands on the paddle.\n"
    )
    lines = at_width(60, lambda: _print.prose(text))
    assert max(map(len, lines)) <= 60
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())
    assert [line for line in lines if line.startswith("Reward: ")]
    assert [line for line in lines if line.startswith("    ")]
    assert at_width(200, lambda: _print.prose(text)) == text.split("\n")


def test_no_line_of_any_help_is_wider_than_80_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    assert len(names) == 24
    for words in ([], *([name] for name in names if name != "report")):
        with pytest.raises(SystemExit) as stop:
            app([*words, "-h"])
        assert not stop.value.code
        wide = [line for line in capsys.readouterr().out.splitlines() if len(line) > 80]
        assert not wide, words
        assert os.environ["COLUMNS"] == "80"


def test_the_list_of_commands_has_whole_sentences(sandbox):
    commands = sandbox("-h").out.partition("Commands:\n")[2].splitlines()
    assert len(commands) == 24
    assert all(re.fullmatch(r"  \w+ +[A-Z].*\.", line) for line in commands)
    assert sandbox("--help").out == sandbox("-h").out
    assert re.fullmatch(r"rl-sandbox \d+\.\d+\.\d+\n", sandbox("--version").out)
