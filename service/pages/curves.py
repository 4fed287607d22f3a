"""Learning curves of trials, averaged over replicates and thinned to what a figure can show."""

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from service.views import ReplicateView, TrialView

MAX_POINTS = 240
SPLITS = ("train", "validation", "test")

Measure = Literal["accuracy", "balanced_accuracy", "loss"]


class CurveSeries(BaseModel):
    """Mean over replicates per epoch, with a band of one standard error; epochs count from 1."""

    model_config = ConfigDict(frozen=True)

    epoch: list[int]
    mean: list[float]
    low: list[float]
    high: list[float]
    n: list[int]


class TrialCurves(BaseModel):
    """The curves of one trial by split; a split that was not measured is left out."""

    model_config = ConfigDict(frozen=True)

    number: int
    series: dict[str, CurveSeries]


class CurvesAnswer(BaseModel):
    """The curves that a page asked for."""

    model_config = ConfigDict(frozen=True)

    measure: Measure
    trials: list[TrialCurves]


def summarize(trials: Iterable[TrialView], measure: Measure) -> CurvesAnswer:
    """The mean curves of trials.

    Epochs that fewer than half of a trial's replicates reached or measured are left out: the mean of the few that train
    longest would look like a change.

    Args:
        trials: Trials with the curves of their replicates.
        measure: Accuracy or loss.
    """
    return CurvesAnswer(measure=measure, trials=[_trial(trial, measure) for trial in trials])


def _trial(trial: TrialView, measure: Measure) -> TrialCurves:
    series = {split: _series(trial.replicates, f"{split}_{measure}") for split in SPLITS}
    return TrialCurves(number=trial.number, series={split: found for split, found in series.items() if found})


def _series(replicates: Iterable[ReplicateView], metric: str) -> CurveSeries | None:
    rows = [row for replicate in replicates if (row := _row(replicate, metric)).size]
    if not rows:
        return None
    values = np.full((len(rows), max(row.size for row in rows)), np.nan)
    for index, row in enumerate(rows):
        values[index, : row.size] = row
    counts = np.isfinite(values).sum(axis=0)
    epochs = _thin(np.flatnonzero(counts >= max(1, (len(rows) + 1) // 2)))
    if not epochs.size:
        return None
    return _summary(values[:, epochs], epochs + 1, counts[epochs])


def _row(replicate: ReplicateView, metric: str) -> npt.NDArray[np.float64]:
    if replicate.curve is None or metric not in replicate.curve.metrics:
        return np.empty(0)
    values = np.array(replicate.curve.metrics[metric], dtype=np.float64)
    end = values.size if replicate.last_epoch is None else replicate.last_epoch + 1
    values = values[:end]
    return np.where(np.isfinite(values), values, np.nan)


def _thin(epochs: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    if epochs.size <= MAX_POINTS:
        return epochs
    return epochs[np.unique(np.linspace(0, epochs.size - 1, MAX_POINTS).round().astype(np.intp))]


def _summary(
    values: npt.NDArray[np.float64], epochs: npt.NDArray[np.intp], counts: npt.NDArray[np.intp]
) -> CurveSeries:
    mean = np.nanmean(values, axis=0)
    variance = np.nansum((values - mean) ** 2, axis=0) / np.maximum(counts - 1, 1)
    error = np.sqrt(variance / counts)
    return CurveSeries(
        epoch=epochs.tolist(),
        mean=_rounded(mean),
        low=_rounded(mean - error),
        high=_rounded(mean + error),
        n=counts.tolist(),
    )


def _rounded(values: npt.NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.5g}") for value in values]
