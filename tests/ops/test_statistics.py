import numpy as np
import pytest

from sandbox.ops.statistics import (
    bootstrap_interval,
    correlation_ratio,
    half_interval,
    interquartile_mean,
    proportion_half_interval,
    rank_correlation,
)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([7], 7),
        ([1, 2, 9], 4),  # of three none is left out
        ([100, 3, 5, -100], 4),  # the middle two
        ([10, 2, 3, 4, -50], 3),  # 5 // 4 = 1 at each end
        ([9, 1, 8, 2, 7, 3, 6, 4], 5),  # 3, 4, 6, 7
    ],
)
def test_the_interquartile_mean_by_hand(scores, expected):
    assert interquartile_mean(np.array(scores, float)) == expected


def test_half_an_interval_by_hand():
    """1, 2, 3, 6: mean 3, sample variance (4 + 1 + 0 + 9) / 3 = 14 / 3, of the mean a quarter of it."""
    assert half_interval(np.array([1.0, 2, 3, 6])) == pytest.approx(1.96 * (14 / 12) ** 0.5)
    assert half_interval(np.array([0.0, 0, 1, 0, 0])) == pytest.approx(1.96 * (0.2 * 0.8 / 4) ** 0.5)
    assert half_interval(np.array([5.0])) == 0.0


def test_it_goes_along_the_first_axis():
    scores = np.array([[1.0, 40], [2, 30], [3, 20], [4, 10]])
    assert interquartile_mean(scores).tolist() == [2.5, 25]


def test_an_interval_by_hand():
    """Two runs, 0 and 1: the mean of two draws is 0, 1/2, 1 with 1/4, 1/2, 1/4."""
    generator = np.random.default_rng(0)
    interval = [
        bootstrap_interval([np.array([0.0, 1.0])], interquartile_mean, generator, 4_000, confidence)
        for confidence in (0.95, 0.4)
    ]
    assert interval == [(0, 1), (0.5, 0.5)]


def test_strata_are_drawn_within_themselves():
    """Each task has runs that agree: whatever is drawn, half of the scores are 0 and half are 10."""
    strata = [np.zeros(3), np.full(3, 10.0)]
    assert bootstrap_interval(strata, lambda scores: scores.mean(0), np.random.default_rng(0)) == (5, 5)


def test_the_interval_is_that_of_the_mean_of_many():
    """20 draws of N(0, 1): the mean's interval is near 1.96 / sqrt(20) = 0.44 either way, of this sample's own mean."""
    scores = np.random.default_rng(1).normal(size=(20, 3))
    low, high = bootstrap_interval([scores], lambda scores: scores.mean(0), np.random.default_rng(2))
    half = 1.96 * scores.std(0) / np.sqrt(20)
    assert low == pytest.approx(scores.mean(0) - half, abs=0.05)
    assert high == pytest.approx(scores.mean(0) + half, abs=0.05)


def test_the_same_generator_the_same_interval_and_one_run_has_none():
    scores = np.random.default_rng(3).normal(size=5)
    first, second = (bootstrap_interval([scores], interquartile_mean, np.random.default_rng(4)) for _ in range(2))
    assert first == second
    assert bootstrap_interval([np.array([3.0])], interquartile_mean, np.random.default_rng(0)) == (3, 3)


@pytest.mark.parametrize(("count", "width"), [(1, 0.975), (2, 1 - 0.025**0.5), (10, 0.30850)])
def test_a_proportion_of_equal_scores_has_the_exact_interval(count: int, width: float) -> None:
    for score in (0.0, 1.0):
        assert proportion_half_interval(np.full(count, score)) == pytest.approx(width, abs=1e-5)
    assert proportion_half_interval(np.array([0.0, 1.0])) == pytest.approx(1.96 * 0.5)  # sqrt(1/2) / sqrt(2)


def test_a_correlation_ratio_by_hand():
    """Means 2 and 5 around 3: 2 * 1 + 1 * 4 = 6 of the total 4 + 0 + 4 = 8."""
    assert correlation_ratio([np.array([1.0, 3]), np.array([5.0])]) == 0.75
    assert correlation_ratio([np.array([1.0, 3]), np.array([2.0, 2])]) == 0
    assert correlation_ratio([np.array([2.0]), np.array([2.0])]) == 0


def test_a_rank_correlation_by_hand():
    """Ranks 1, 2, 3, 4 and 1, 3, 2, 4: 1 - 6 * (1 + 1) / (4 * 15) = 0.8; ties share their mean rank."""
    assert rank_correlation(np.array([0.1, 1, 10, 100]), np.array([1, 3, 2, 9])) == pytest.approx(0.8)
    assert rank_correlation(np.array([1.0, 1, 2]), np.array([5.0, 5, 9])) == pytest.approx(1)
    assert rank_correlation(np.array([1.0, 2, 3]), np.array([-1.0, -2, -30])) == pytest.approx(-1)
    assert rank_correlation(np.array([1.0, 2]), np.array([3.0, 3])) == 0
