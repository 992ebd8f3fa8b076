"""How sure a mean is, and what several seeds say together: the interquartile mean and its bootstrap interval."""

import math
from collections.abc import Callable, Sequence

import numpy as np


def half_interval(scores: np.ndarray) -> float:
    """Half the 95 % interval of the mean of scores [N], 1.96 standard errors: by the normal approximation.

    Of a share, the scores are 0s and 1s. The deviation is the sample's, over N - 1; one score alone says nothing: 0.
    """
    return 1.96 * float(scores.std(ddof=1)) / math.sqrt(len(scores)) if len(scores) > 1 else 0.0


def interquartile_mean(scores: np.ndarray) -> np.ndarray:
    """The mean without the lowest and the highest quarter: scores [N, ...] -> [...].

    Of N scores floor(N / 4) are left out at each end (Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge
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
    """The percentile interval of `statistic` when every stratum is drawn anew (Agarwal et al. 2021, section 4.1).

    Args:
        strata: scores of one task each, [N_m, ...]; runs are drawn with replacement within their own task.
        statistic: of scores along their first axis: [N, ...] -> [...].
        generator: of the draws.
        resamples: how often everything is drawn anew.
        confidence: the share of the statistics that lie within.

    Returns:
        The lower and the upper end, [...] each; a single run in every stratum gives an interval of width 0.
    """
    drawn = [scores[generator.integers(len(scores), size=(len(scores), resamples))] for scores in strata]
    statistics = statistic(np.concatenate(drawn))
    low, high = np.quantile(statistics, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high
