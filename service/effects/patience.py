"""What would each patience have given? Early stopping replayed over the logged curves, at no training cost."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from search_spaces.regularizers import EarlyStopping
from search_spaces.regularizers.base import first_value
from search_spaces.spec import StudySpec
from service.effects.dose_response import NOTHING
from service.effects.frame import ACCURACIES, metric_of
from service.effects.intervals import interval_over_seeds
from service.effects.levels import Levels
from service.effects.view import PatiencePoint
from trials.curves import Curve, row
from trials.early_stopping import Stop, StoppingRule, replay


def patience_curve(
    asked: EarlyStopping, levels: Levels, curves: Mapping[int, Curve], spec: StudySpec
) -> list[PatiencePoint]:
    """Accuracy by patience, averaged over all configurations, with intervals over seeds.

    Replicates that differ in early stopping alone are one training and are replayed once. A patience that some curve
    is too short to answer (its training had ended by a smaller one) is left out, and so is a train or test accuracy
    at an epoch where it was not read.

    Args:
        asked: The rule that the study asks about; the first of its `min_delta` and of its `start_epoch` is used.
        levels: The levels of early stopping.
        curves: Curves by replicate id.
        spec: The study.
    """
    trainings = list(_trainings(levels.rows, curves))
    if not trainings:
        return []
    longest = max(curve.shape[1] for _, curve in trainings)
    wanted = {int(v) for v in asked.patience.levels() or ()}
    if levels.knob == "patience":
        wanted |= {int(level.value) for level in levels.levels if isinstance(level.value, int)}
    ladder = sorted(wanted | set(_ladder(longest)))
    rows = pd.DataFrame([entry for p in ladder for entry in _replayed(trainings, _rule(asked, p), spec)])
    if rows.empty:
        return []
    accuracies = {measure: interval_over_seeds(rows, "patience", measure) for measure in ACCURACIES}
    summary = rows.groupby("patience").agg(n=("seed", "size"), n_seeds=("seed", "nunique"), epochs=("epochs", "mean"))
    return [
        PatiencePoint(
            patience=p,
            asked=p in wanted,
            n=int(summary.loc[p, "n"]),
            n_seeds=int(summary.loc[p, "n_seeds"]),
            epochs=float(summary.loc[p, "epochs"]),
            train_accuracy=accuracies["train_accuracy"].get(p, NOTHING),
            validation_accuracy=accuracies["validation_accuracy"].get(p, NOTHING),
            test_accuracy=accuracies["test_accuracy"].get(p, NOTHING),
        )
        for p in summary.index.tolist()
    ]


def _trainings(rows: pd.DataFrame, curves: Mapping[int, Curve]) -> Iterator[tuple[int, Curve]]:
    logged = rows[rows["replicate"].isin([i for i, curve in curves.items() if curve.size])]
    for _, same in logged.groupby(["cell", "seed"]):
        yield int(same["seed"].iloc[0]), max((curves[i] for i in same["replicate"]), key=lambda curve: curve.shape[1])


def _ladder(longest: int) -> Iterator[int]:
    """1, 2, 5, 10, 20, 50 … below the length of the longest curve."""
    for decade in range(math.ceil(math.log10(longest)) + 1):
        yield from (digit * 10**decade for digit in (1, 2, 5) if digit * 10**decade < longest)


def _rule(asked: EarlyStopping, patience: int) -> StoppingRule:
    return StoppingRule(
        patience=patience,
        min_delta=float(first_value(asked.min_delta)),
        start_epoch=int(first_value(asked.start_epoch)),
        monitor=asked.monitor,
        restore_best=asked.restore_best,
    )


def _replayed(
    trainings: list[tuple[int, Curve]], rule: StoppingRule, spec: StudySpec
) -> Iterator[dict[str, float | int]]:
    n_epochs = spec.training.epochs
    stops = [replay(row(curve, rule.monitor), rule) for _, curve in trainings]
    if any(not stop.stopped and curve.shape[1] < n_epochs for stop, (_, curve) in zip(stops, trainings, strict=True)):
        return
    for stop, (seed, curve) in zip(stops, trainings, strict=True):
        yield {"patience": rule.patience, "seed": seed, "epochs": stop.last_epoch + 1, **_read(curve, stop, spec)}


def _read(curve: Curve, stop: Stop, spec: StudySpec) -> dict[str, float]:
    values = {measure: float(row(curve, metric_of(spec, measure))[stop.selected_epoch]) for measure in ACCURACIES}
    return {measure: value if np.isfinite(value) else math.nan for measure, value in values.items()}
