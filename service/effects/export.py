"""The effects as CSV: one row per level of each regularizer."""

import csv
import io

from search_spaces.values import Scalar
from service.effects.frame import ACCURACIES
from service.effects.view import Effects, LevelEffect, MeanInterval, RegularizerEffect

Cell = Scalar | None

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

DIFFERENCE_FIELDS = (
    "mean",
    "low",
    "high",
    "p_value",
    "p_value_holm",
    "probability_better",
    "paired",
    "n_pairs",
    "n_seeds",
    "validation_mean",
)


def effects_csv(effects: Effects) -> str:
    """Every level with its accuracies (fractions), its difference from off and the regularizer's verdict.

    Accuracies are balanced ones where the column `measure` says so.

    Text that a spreadsheet would take for a formula is preceded by an apostrophe.
    """
    rows = [_row(effects, effect, level) for effect in effects.regularizers for level in effect.levels]
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(_columns())
    writer.writerows([_neutral(cell) for cell in row] for row in rows)
    return target.getvalue()


def _columns() -> list[str]:
    return [
        *("study", "protocol", "regularizer", "knob", "level", "value", "bin_low", "bin_high"),
        *("is_off", "is_reference", "n", "n_seeds", "n_trials"),
        *(f"{accuracy}_{bound}" for accuracy in ACCURACIES for bound in ("mean", "low", "high")),
        *(f"difference_{field}" for field in DIFFERENCE_FIELDS),
        *("reference", "verdict", "sentence", "measure"),
    ]


def _row(effects: Effects, effect: RegularizerEffect, level: LevelEffect) -> list[Cell]:
    study, difference = effects.study, level.difference_from_off
    return [
        *(study.name, study.protocol, effect.name, effect.knob),
        *(level.label, level.value, level.bin_low, level.bin_high),
        *(level.is_off, level.is_reference, level.n, level.n_seeds, level.n_trials),
        *(bound for accuracy in ACCURACIES for bound in _bounds(getattr(level, accuracy))),
        *(getattr(difference, field, None) for field in DIFFERENCE_FIELDS),
        *(effect.reference, effect.verdict, effect.sentence, study.measure),
    ]


def _bounds(estimate: MeanInterval) -> tuple[float | None, float | None, float | None]:
    return estimate.mean, estimate.low, estimate.high


def _neutral(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
