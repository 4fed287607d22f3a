"""A study whose objective is balanced accuracy is estimated, drawn and judged by it, and says so."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from search_spaces.values import Point
from service.effects.estimate import estimate
from service.effects.export import effects_csv
from service.effects.figures import figures
from service.effects.html import effects_html
from service.effects.records import StudyRecord
from service.effects.table import effects_table
from tests.service.effects.studies import make_record, make_spec, rate
from trials.curves import CURVE_METRICS, Curve

REGULARIZERS = {
    "dropout": {"rate": {"grid": [0.0, 0.5]}},
    "l2": {"factor": {"grid": [0.0, 0.1]}},
    "early_stopping": {"patience": 2},
}
SEEDS = range(6)


def balanced_accuracy(point: Point, seed: int) -> float:
    """Dropout, which costs accuracy, finds the rare class."""
    return 0.6 + (0.2 + 0.004 * seed) * rate(point)


def accuracies(point: Point, seed: int) -> tuple[float, float, float]:
    accuracy = 0.9 - (0.1 + 0.004 * seed) * rate(point)
    return 0.95, accuracy, accuracy


def curve(point: Point, seed: int) -> Curve:
    values = np.full((len(CURVE_METRICS), 3), 0.9, np.float32)
    for part in ("train", "validation", "test"):
        values[CURVE_METRICS.index(f"{part}_balanced_accuracy")] = balanced_accuracy(point, seed)
    return values


def study(**changes: Any) -> StudyRecord:
    spec = make_spec(REGULARIZERS, training={"epochs": 3}, **changes)
    record = make_record(spec, accuracies, seeds=SEEDS, curve=curve)
    parts = ("train", "validation", "test")
    replicates = [
        replace(
            r,
            metrics=r.metrics.model_copy(
                update={f"{part}_balanced_accuracy": balanced_accuracy(r.point, r.seed) for part in parts}
            ),
        )
        for r in record.replicates
    ]
    return replace(record, replicates=tuple(replicates))


BALANCED = study(objective={"metric": "validation_balanced_accuracy"})
PLAIN = study()


def test_the_verdict_is_that_of_the_objective_and_its_sentence_names_it() -> None:
    dropout = estimate(BALANCED).regularizers[0]

    assert dropout.verdict == "helps"
    assert "test balanced accuracy rises by 10.5 points" in dropout.sentence
    assert dropout.levels[1].test_accuracy.mean == pytest.approx(0.705)


def test_without_that_objective_accuracy_decides_whatever_the_balanced_one_says() -> None:
    effects = estimate(PLAIN)

    assert effects.study.measure == "accuracy"
    assert effects.regularizers[0].verdict == "hurts"
    assert "test accuracy falls by 5.5 points" in effects.regularizers[0].sentence


def test_best_trial_noise_floor_and_patience_are_of_balanced_accuracy() -> None:
    effects = estimate(BALANCED)

    assert effects.study.measure == "balanced accuracy"
    assert effects.best is not None
    assert effects.best.parameters["dropout.rate"] == 0.5
    assert effects.best.objective == "validation_balanced_accuracy"
    assert effects.best.objective_mean == pytest.approx(0.705)
    assert effects.noise_floor is not None
    assert effects.noise_floor.test_accuracy.mean == pytest.approx(0.6)
    assert effects.patience[0].test_accuracy.mean == pytest.approx(0.6525)


def test_every_figure_says_balanced_accuracy() -> None:
    drawn = figures(estimate(BALANCED), BALANCED)

    assert {"differences", "dose_dropout", "patience", "interaction_dropout_l2"} < set(drawn)
    for figure in drawn.values():
        assert "balanced accuracy" in str(figure["layout"])
    learning = next(figure for name, figure in drawn.items() if name.startswith("learning"))
    assert max(learning["data"][-1]["y"]) == pytest.approx(70.5)
    assert "balanced" not in str([figure["layout"] for figure in figures(estimate(PLAIN), PLAIN).values()])


def test_table_report_and_rows_say_balanced_accuracy() -> None:
    effects = estimate(BALANCED)
    console = Console(file=io.StringIO(), width=160)
    console.print(effects_table(effects))

    assert isinstance(console.file, io.StringIO)
    assert "balanced accuracy in %" in console.file.getvalue()
    assert "test balanced accuracy is 60.0 %" in console.file.getvalue()
    assert "mean of the recalls" in effects_html(effects, BALANCED)
    header, *rows = effects_csv(effects).splitlines()
    assert header.endswith(",measure")
    assert all(row.endswith(",balanced accuracy") for row in rows)
