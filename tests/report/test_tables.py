"""Tables of returns and metrics."""

import json

import pytest

from sandbox.report import tables
from sandbox.report.groups import grouped
from sandbox.report.references import Reference, published
from sandbox.report.run_record import RunRecord


def read(*folders):
    return grouped([RunRecord.read(folder) for folder in folders])


def row(table, name=None):
    (found,) = [each for each in table.rows if name in (None, each[0])]
    return dict(zip(table.headers, found, strict=True))


def test_returns_next_to_references(make):
    groups = read(*(make(f"a_s{n}", [n], seed=n) for n in (1, 2, 3, 6)))
    table = tables.return_table(groups, {"a": Reference(-1.5, 6.5, "")})
    assert row(table) == {
        "runs": "a",
        "environment": "catch",
        "return, in training ↑": "2.5 (1 to 6)",  # three or four of four draws are the 6 in 13 of 256 cases: 5 %
        "each seed, in training": "1, 2, 3, 6",
        "measured at": "end of training",
        "random": "-1.5",
        "human": "6.5",
        "of human": "50 %",
    }


def test_scores_of_evaluations_and_of_training_have_columns_of_their_own(make):
    evaluation = {
        "return_mean": 0.75,
        "return_ci95": 0.055,
        "episodes": 200,
        "step": 100,
        "overrides": ["env.blind=true"],
    }
    groups = read(make("a", [0.5, 0.25], evaluation=evaluation))
    assert row(tables.return_table(groups, {"a": Reference(0.25, 1.25, "")})) == {
        "runs": "a",
        "environment": "catch",
        "return, evaluated ↑": "0.75 ± 0.055",
        "evaluated on": "200 episodes, env.blind=true, at step 100",
        "return, in training ↑": "0.25",
        "measured at": "end of training",
        "random": "0.25",
        "human": "1.25",
        "of human": "50 %",  # of the evaluation, not of training
    }


def test_a_run_that_has_logged_nothing(make):
    assert row(tables.return_table(read(make("a")), {"a": None})) == {
        "runs": "a",
        "environment": "catch",
    }


def test_likelihoods_say_how_they_were_found(make):
    found = {
        "images": 300,
        "log_likelihood": -86.04,
        "log_likelihood_ci95": 0.44,
        "log_likelihood_kind": "ais",
        "log_likelihood_low": -86.45,
        "log_likelihood_high": -85.47,
        "elbo_ci95": 1.0,
        "fcd": 12.5,
        "fcd_floor": 1.5,
        "step": 100,
    }
    groups = read(
        make("g", [1.0], generator=True, learner="rbm", evaluation=found),
        make("h", [1.0], generator=True, learner="vae", evaluation={"log_likelihood_missing": "too large", "kl": 2.0}),
    )
    table = tables.metric_table(groups)
    assert list(table.headers) == ["figure", "g", "h"]
    assert row(table, "Log-likelihood (nats) ↑") == {
        "figure": "Log-likelihood (nats) ↑",
        "g": "-86.04 ± 0.44 (ais, bracket -86.45 to -85.47)",
        "h": "not available",
    }
    fcd = "Fréchet classifier distance (FCD) ↓"
    assert row(table, fcd) == {"figure": fcd, "g": "12.5 (floor 1.5)", "h": "-"}
    first_words = [each[0].partition(" ")[0] for each in table.rows]
    assert first_words == ["Log-likelihood", "`elbo_ci95`", "Fréchet", "KL", "Test", "Measured"]
    assert row(table, "Measured by")["g"] == "`sandbox evaluate`"


def test_many_runs_have_a_row_each(make):
    runs = [make(f"g{n}", [1.0], generator=True, evaluation={"kl": 0.5 * n}, lr=n) for n in range(7)]
    for run, letter in zip(runs, "abcdefg", strict=True):  # in groups of their own
        run.config.write_text(run.config.read_text().replace("latent_size: 10", f"latent_size: 10, x: {letter}"))
    table = tables.metric_table(read(*runs))
    assert table.headers == ["runs", "KL divergence of the latents (nats)", "Measured by"]
    assert table.rows[3] == ("g3", "1.5", "`sandbox evaluate`")


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "-"), (0.98333, "0.9833"), (12345.6, "12,346"), (-86.04, "-86.04"), (7, "7"), ("NaN", "NaN"), (0.0, "0")],
)
def test_numbers(value, words):
    assert tables.format_number(value) == words


def test_atari_scores_are_published():
    pong = published({"name": "atari", "game": "pong", "wrappers": [{"flicker": {"p": 0.5}}]})
    assert (pong.random, pong.human) == (-20.7, 14.6)
    assert pong.human_normalized(-20.7) == 0
    assert pong.human_normalized(14.6) == 1
    assert "Wang et al. 2016" in pong.source
    assert published({"name": "atari", "game": "tetris"}) is None
    assert published({"name": "pong"}) is None


def test_the_games_are_those_of_ale_py():
    from ale_py.roms import get_all_rom_ids

    from sandbox.report import references

    known = json.loads(references.Path(references.__file__).with_name("references.json").read_text())["scores"]
    assert len(known) == 57
    assert set(known) <= set(get_all_rom_ids())
