"""Two case studies as wholes, compared by what is kept of them."""

import math

from scipy import stats

from benchmarks.case_studies.exports import Export
from service.effects.intervals import CONFIDENCE
from service.effects.view import Best, MeanInterval


def gain(export: Export, other: Export) -> MeanInterval | None:
    """How much more test accuracy the best trial of one has than that of another, with Welch's interval over seeds.

    None where either has no best trial with an interval.
    """
    one, two = (_of_best(each.effects.best) for each in (export, other))
    if one is None or two is None:
        return None
    (mean, variance, n), (other_mean, other_variance, other_n) = one, two
    difference, sum_of_variances = mean - other_mean, variance + other_variance
    if sum_of_variances == 0:
        return MeanInterval(mean=difference)
    freedom = sum_of_variances**2 / (variance**2 / (n - 1) + other_variance**2 / (other_n - 1))
    low, high = stats.t.interval(CONFIDENCE, freedom, difference, math.sqrt(sum_of_variances))
    return MeanInterval(mean=difference, low=float(low), high=float(high))


def _of_best(best: Best | None) -> tuple[float, float, int] | None:
    """Mean test accuracy, the variance of that mean, and the number of seeds."""
    accuracy = None if best is None else best.test_accuracy
    if best is None or accuracy is None or accuracy.mean is None or accuracy.low is None or accuracy.high is None:
        return None
    half = (accuracy.high - accuracy.low) / 2
    return accuracy.mean, (half / float(stats.t.ppf((1 + CONFIDENCE) / 2, best.n - 1))) ** 2, best.n
