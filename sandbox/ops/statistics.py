"""Confidence intervals of means, the interquartile mean, and bootstrap intervals over seeds."""

import math
from collections.abc import Callable, Sequence

import numpy as np


def half_interval(scores: np.ndarray) -> float:
    """Return half the width of the 95 % confidence interval of the mean of scores [N], by the normal approximation.

    That is 1.96 standard errors, from the sample's deviation (over N - 1), or 0 for a single score. The scores of a
    proportion are 0s and 1s.
    """
    return 1.96 * float(scores.std(ddof=1)) / math.sqrt(len(scores)) if len(scores) > 1 else 0.0


def proportion_half_interval(hits: np.ndarray) -> float:
    """Return half the width of the 95 % confidence interval of a proportion, of scores 0 and 1, [N].

    If all scores are the same, the normal approximation has no width. Then it is the distance to the other end of the
    exact interval, 1 - 0.025^(1/N) (Clopper & Pearson 1934).
    """
    if hits.min() == hits.max():
        return float(1 - 0.025 ** (1 / len(hits)))
    return half_interval(hits)


def interquartile_mean(scores: np.ndarray) -> np.ndarray:
    """Return the mean without the lowest and the highest quarter: scores [N, ...] -> [...].

    floor(N / 4) of the N scores are left out at each end (Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge
    of the Statistical Precipice"): with one to three it is the mean, with four the mean of the middle two.
    """
    cut = len(scores) // 4
    return np.sort(scores, axis=0)[cut : len(scores) - cut].mean(0)


def bootstrap_interval(
    strata: Sequence[np.ndarray],
    statistic: Callable[[np.ndarray], np.ndarray],
    generator: np.random.Generator,
    resamples: int = 2_000,
    confidence: float = 0.95,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile interval of a stratified bootstrap (Agarwal et al. 2021, section 4.1).

    Args:
        strata: Scores of one task each, [N_m, ...]; runs are resampled with replacement within their own task.
        statistic: Maps scores to a statistic along their first axis: [N, ...] -> [...].
        generator: Source of the resampling.
        resamples: Number of resamplings.
        confidence: Fraction of the statistics within the interval.

    Returns:
        The lower and the upper end, [...] each; a single run in every stratum gives an interval of width 0.
    """
    drawn = [scores[generator.integers(len(scores), size=(len(scores), resamples))] for scores in strata]
    statistics = statistic(np.concatenate(drawn))
    low, high = np.quantile(statistics, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high


def correlation_ratio(groups: Sequence[np.ndarray]) -> float:
    """Return the share of the variance of scores that lies between groups of them, eta squared (Fisher 1925).

    Args:
        groups: Scores of each group, [N_g].

    Returns:
        Between 0 and 1; 0 if all scores are the same.
    """
    scores = np.concatenate(groups)
    total = float(((scores - scores.mean()) ** 2).sum())
    between = sum(len(group) * float(group.mean() - scores.mean()) ** 2 for group in groups)
    return between / total if total > 0 else 0.0


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the correlation of the ranks of two series [N] (Spearman 1904); 0 if one of them is constant.

    Equal values share the mean of their ranks.
    """
    ranks = [_ranks(values) for values in (x, y)]
    if min(float(each.std()) for each in ranks) == 0:
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[places]
