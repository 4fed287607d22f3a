"""The finished replicates of a study as one table, and the settings of its trials."""

from dataclasses import dataclass

import pandas as pd

from search_spaces.grids import settings
from search_spaces.spec import StudySpec
from search_spaces.values import Point
from service.effects.records import StudyRecord
from service.effects.view import Measure

ACCURACIES = ("train_accuracy", "validation_accuracy", "test_accuracy")

MEASURES = (*ACCURACIES, "validation_loss")

BALANCED = "balanced_accuracy"


def measure_of(spec: StudySpec) -> Measure:
    """What the study's effects are about: balanced accuracy where that is its objective, else accuracy."""
    return "balanced accuracy" if spec.objective.metric.endswith(BALANCED) else "accuracy"


def metric_of(spec: StudySpec, column: str) -> str:
    """The metric that a column of the table holds: `test_accuracy` may be that of `test_balanced_accuracy`."""
    return column.replace("accuracy", measure_of(spec).replace(" ", "_"))


def column_of(metric: str) -> str:
    """The column of the table that holds the study's objective."""
    return metric.replace(BALANCED, "accuracy")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the estimators work on.

    Attributes:
        rows: One row per replicate: `replicate`, `trial`, `seed`, `ended` (whether its trial is complete) and the
            measures, NaN where missing. The accuracies are balanced accuracies where those are the objective.
        points: Trial number to its point as stored.
        settings: Trial number to every knob of every regularizer that is on, defaults included.
    """

    spec: StudySpec
    rows: pd.DataFrame
    points: dict[int, Point]
    settings: dict[int, Point]


def measured(record: StudyRecord) -> Measured:
    """Reads a record into a table."""
    replicates = record.replicates
    columns: dict[str, object] = {
        "replicate": pd.Series([r.replicate_id for r in replicates], dtype="int64"),
        "trial": pd.Series([r.trial_number for r in replicates], dtype="int64"),
        "seed": pd.Series([r.seed for r in replicates], dtype="int64"),
        "ended": pd.Series([r.trial_state == "complete" for r in replicates], dtype="bool"),
    }
    for measure in MEASURES:
        columns[measure] = pd.Series(
            [getattr(r.metrics, metric_of(record.spec, measure)) for r in replicates], dtype="float64"
        )
    points = {r.trial_number: r.point for r in replicates}
    return Measured(
        spec=record.spec,
        rows=pd.DataFrame(columns),
        points=points,
        settings={number: settings(record.spec, point) for number, point in points.items()},
    )
