"""95 % intervals over seeds, and the t-tests behind them."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from service.effects.view import MeanInterval

CONFIDENCE = 0.95

SAME = 1e-6
"""Accuracies nearer than this are equal: one example of a million, and above the rounding of float32."""

Floats = npt.NDArray[np.float64]


def interval_over_seeds(rows: pd.DataFrame, by: str, measure: str) -> dict[Hashable, MeanInterval]:
    """The mean of a measure in each group, with its t interval.

    Trials of a group are averaged for each seed first, because replicates of equal seed share initial weights and
    data order; the interval is over seeds. Missing values are left out; with one seed there is no interval.

    Args:
        rows: Replicates with the columns `seed`, `by` and `measure`.
        by: The column that names the group.
        measure: The column to average.
    """
    per_seed = rows.dropna(subset=[measure]).groupby([by, "seed"])[measure].mean()
    summary = per_seed.groupby(level=0).agg(["mean", "std", "count"])
    count = summary["count"].to_numpy(dtype=float)
    mean = summary["mean"].to_numpy(dtype=float)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * summary["std"].to_numpy(dtype=float) / np.sqrt(count)
    return {
        group: mean_interval(m, m - h, m + h)
        for group, m, h in zip(summary.index, mean.tolist(), half.tolist(), strict=True)
    }


def mean_interval(mean: float, low: float, high: float) -> MeanInterval:
    """An interval whose bounds are None where they are NaN."""
    return MeanInterval(mean=mean, low=None if np.isnan(low) else low, high=None if np.isnan(high) else high)


@dataclass(frozen=True)
class Tested:
    """A tested mean; all None where the values are too few."""

    low: float | None = None
    high: float | None = None
    p_value: float | None = None


def tested_mean(values: Floats) -> Tested:
    """Tests whether independent values have mean 0 (t-test, two-sided).

    Where all values are equal the t-test is undefined; an exact sign test takes its place, without an interval, so
    that two seeds which happen to agree do not pass for certainty. Values that are all 0 give p = 1.
    """
    if values.size < 2:
        return Tested()
    if np.ptp(values) <= SAME:
        if abs(values.mean()) <= SAME:
            return Tested(0.0, 0.0, 1.0)
        return Tested(p_value=float(stats.binomtest(values.size, values.size).pvalue))
    result = stats.ttest_1samp(values, 0.0)
    bounds = result.confidence_interval(CONFIDENCE)
    return Tested(float(bounds.low), float(bounds.high), float(result.pvalue))


def tested_difference(first: Floats, second: Floats) -> Tested:
    """Tests whether two independent samples have the same mean (Welch's t-test, two-sided).

    Nothing is claimed where a sample has one value, or where both have no spread.
    """
    if min(first.size, second.size) < 2 or max(np.ptp(first), np.ptp(second)) <= SAME:
        return Tested()
    result = stats.ttest_ind(first, second, equal_var=False)
    bounds = result.confidence_interval(CONFIDENCE)
    return Tested(float(bounds.low), float(bounds.high), float(result.pvalue))
