"""Learning curves of groups of runs."""

import math

import numpy as np
import pytest

from sandbox.core.rng import Rng
from sandbox.media.svg_plot import Mark
from sandbox.ops.statistics import bootstrap_interval, interquartile_mean
from sandbox.report.curves import group_curve, mean_and_interval
from sandbox.report.groups import grouped
from sandbox.report.run_record import RunRecord


def group(*folders):
    (found,) = grouped([RunRecord.read(folder) for folder in folders])
    return found


def test_a_score_with_its_interval():
    """The mean of the middle two of four scores; the interval of equal scores has no width."""
    assert mean_and_interval([3.0, 3.0, 3.0]) == (3, 3, 3)
    middle, low, high = mean_and_interval([0.0, 1.0, 2.0, 30.0])
    assert middle == 1.5
    assert low < middle < high


def test_the_bootstrap_has_a_named_random_stream():
    scores = np.random.default_rng(0).normal(size=9)
    ends = bootstrap_interval([scores], interquartile_mean, Rng(0).numpy("report/bootstrap"))
    assert mean_and_interval(scores.tolist())[1:] == ends


def test_over_steps_the_points_are_those_of_the_log(make):
    line = group_curve(group(*(make(f"a_s{n}", [n, 2 * n], seed=n) for n in range(3))), "env/return", "step")
    assert (line.label, line.x, line.y) == ("a", [100, 200], [1, 2])
    assert line.low == [0, 0]
    assert line.high == [2, 4]


def test_one_seed_has_no_band(make):
    line = group_curve(group(make("a", [1.0, 2.0])), "env/return", "step")
    assert (line.x, line.y, line.low, line.high) == ([100, 200], [1, 2], None, None)


def test_over_time_seeds_are_read_off_between_their_points(make):
    """The times of the seeds differ by 0.1 s; the curve covers the times of all, with linear interpolation."""
    line = group_curve(group(*(make(f"a_s{n}", [0.0, 15.0], seed=n) for n in (0, 1))), "env/return", "time")
    assert (line.x[0], line.x[-1], len(line.x)) == (pytest.approx(1.6), pytest.approx(3.0), 100)
    assert line.y[0] == pytest.approx((10 * 0.1 + 0) / 2)
    assert line.y[-1] == pytest.approx((15 + 14) / 2)


def test_a_run_that_goes_on_counts_as_far_as_it_has_come(make):
    done = make("a_s0", [0.0, 0.0, 0.0], seed=0)
    young = make("a_s1", [10.0, 10.0], seed=1, steps=300)
    line = group_curve(group(done, young), "env/return", "step")
    assert (line.x[0], line.x[-1]) == (100, 300)
    assert [y for x, y in zip(line.x, line.y, strict=True) if x <= 200] == [5] * 50
    assert {y for x, y in zip(line.x, line.y, strict=True) if x > 200} == {0}


def test_slow_seeds_do_not_draw_the_curve_out(make):
    """The curve ends with the first finished run; later points would average unfinished seeds alone."""
    quick, slow = make("a_s0", [1.0, 1.0], seed=0), make("a_s5", [2.0, 2.0], seed=5)
    line = group_curve(group(quick, slow), "env/return", "time")
    assert (line.x[0], line.x[-1]) == (pytest.approx(2.0), pytest.approx(3.0))
    assert set(line.y) == {1.5}


def test_seeds_that_were_never_at_work_at_the_same_time(make):
    line = group_curve(group(make("a_s0", [1.0, 1.0]), make("a_s30", [2.0, 2.0], seed=30)), "env/return", "time")
    assert (line.x[0], line.x[-1], line.y[0], line.y[-1]) == (1.5, 6.0, 1, 2)


def test_a_loss_that_is_not_a_number_is_a_gap(make):
    line = group_curve(group(make("a", [1.0, math.nan, 3.0])), "env/return", "step")
    assert np.isnan(line.y[1])
    assert (line.y[0], line.y[2]) == (1, 3)


def test_nobody_has_logged_it(make):
    assert group_curve(group(make("a", [1.0])), "loss", "step") is None


def test_a_long_log_is_drawn_by_its_extremes(make):
    """The highest and the lowest of 6,000 values and both ends are drawn."""
    values = np.sin(np.arange(6_000)).tolist()
    values[1_234], values[4_567], values[7] = 50.0, -50.0, math.nan
    line = group_curve(group(make("a", values)), "env/return", "step")
    assert len(line.x) <= 1_002
    assert (line.x[0], line.x[-1]) == (100, 600_000)
    assert line.x[line.y.index(50.0)] == 123_500
    assert line.x[line.y.index(-50.0)] == 456_800
    assert line.x == sorted(line.x)


def evaluation(**options):
    return {"return_mean": 3.0, "return_ci95": 0.5, "episodes": 200, "step": 200, **options}


def test_an_evaluation_is_a_mark_at_its_step_with_its_interval(make):
    one = group(make("a", [1.0, 2.0], evaluation=evaluation()))
    assert group_curve(one, "env/return", "step").marks == [Mark(200, 3, 2.5, 3.5, "200 episodes of sandbox evaluate")]
    (mark,) = group_curve(one, "env/return", "time").marks
    assert mark.x == 3.0


@pytest.mark.parametrize("options", [{"overrides": ["env.blind=true"]}, {"step": "NaN"}, {"return_mean": math.nan}])
def test_evaluations_of_other_environments_and_damaged_ones_are_not_marked(make, options):
    run = make("a", [1.0], evaluation=evaluation(**options))
    assert group_curve(group(run), "env/return", "step").marks == []


def test_evaluations_of_several_seeds_are_one_mark(make):
    runs = [make(f"a_s{n}", [1.0, 2.0], seed=n, evaluation=evaluation(return_mean=n)) for n in (1.0, 2.0, 3.0)]
    for folder, seed in zip(runs, (1, 2, 3), strict=True):
        folder.config.write_text(folder.config.read_text().replace(f"seed: {seed}.0", f"seed: {seed}"))
    (mark,) = group_curve(group(*runs), "env/return", "step").marks
    assert (mark.x, mark.y, mark.words) == (200, 2, "3 seeds, 200 episodes of sandbox evaluate")
    assert (mark.low, mark.high) == mean_and_interval([1.0, 2.0, 3.0])[1:]


def test_a_likelihood_is_marked_on_its_own_curve_only(make):
    found = {"log_likelihood": -80.0, "log_likelihood_ci95": 1.0, "images": 300, "step": 100, "loss": 1.0}
    run = make("g", [1.0], generator=True, learner="vae", evaluation=found)
    with run.metrics.open("a") as file:
        file.write('{"step": 200, "time": 2.0, "eval/log_likelihood": -90.0}\n')
    (mark,) = group_curve(group(run), "eval/log_likelihood", "step").marks
    assert (mark.x, mark.y, mark.low, mark.high) == (100, -80, -81, -79)
    assert mark.words == "300 images of sandbox evaluate"
    assert group_curve(group(run), "loss", "step").marks == []
