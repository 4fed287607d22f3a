"""The levels of a regularizer: the values its dose knob took, continuous ones in bins, off kept apart."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from search_spaces.grids import is_searched
from search_spaces.ranges import Interval, Knob
from search_spaces.regularizers import REGULARIZERS, RegularizerSpec
from search_spaces.regularizers.base import AskedRange
from search_spaces.values import Point, Scalar
from service.effects.frame import Measured, measure_of
from service.effects.view import Measure
from service.effects.wording import scalar

BIN_ABOVE_N_VALUES = 12
MAX_BINS = 5
LOG_ABOVE_RATIO = 50.0


@dataclass(frozen=True, kw_only=True)
class Level:
    """One level; `low` and `high` are the extremes of a bin."""

    value: Scalar | None
    label: str
    is_off: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels of one regularizer in a study.

    Attributes:
        levels: Off first, then by dose (numbers) or in the order asked (words).
        reference: Index of the level that differences are taken from: off; without off the largest patience, or the
            first word of a knob that is no dose; None if the study has none of these.
        measure: What the accuracies in `rows` are.
        rows: The replicates, with the index of their level in `level`, and in `cell` a number that is equal for equal
            settings of all other regularizers.
    """

    name: str
    knob: str
    kind: Literal["float", "int", "category"]
    log_scale: bool
    levels: tuple[Level, ...]
    reference: int | None
    measure: Measure
    rows: pd.DataFrame


def levels_of(name: str, data: Measured) -> Levels:
    """Finds the levels of one regularizer that the study asks about."""
    kind = REGULARIZERS[name]
    regularizer = dict(data.spec.regularizers.items())[name]
    knob_name, knob, asked = compared_knob(regularizer)
    key = f"{name}.{knob_name}"
    values = {number: None if kind.is_off(s) else s[key] for number, s in data.settings.items()}
    doses = [value for value in values.values() if value is not None]
    log_scale = knob.kind != "category" and _log_scale(asked, doses)
    if isinstance(asked, Interval) and len(set(doses)) > BIN_ABOVE_N_VALUES:
        found = _bins(doses, log_scale=log_scale)
    else:
        found = _singles(doses, None if isinstance(asked, Interval) else asked.levels())
    if len(doses) < len(values):
        at_zero = knob.off is not None and any(s.get(key) == knob.off for s in data.settings.values())
        found = [Level(value=knob.off if at_zero else None, label="off", is_off=True), *found]
    level_of_value = _index(found, set(doses))
    rows = data.rows.assign(
        level=data.rows["trial"].map({number: level_of_value[value] for number, value in values.items()}),
        cell=data.rows["trial"].map(_cells(name, data.settings)),
    )
    return Levels(
        name=name,
        knob=knob_name,
        kind=knob.kind,
        log_scale=log_scale,
        levels=tuple(found),
        measure=measure_of(data.spec),
        reference=_reference(name, knob_name, found),
        rows=rows,
    )


def compared_knob(regularizer: RegularizerSpec) -> tuple[str, Knob, AskedRange]:
    """The knob whose values are compared: the dose; if that is fixed, the first one that is not, if there is any."""
    ranges = list(regularizer.ranges())
    return next((one for one in ranges if is_searched(one[2])), ranges[0])


def _log_scale(asked: object, doses: Iterable[Scalar]) -> bool:
    if isinstance(asked, Interval):
        return asked.log
    positive = [float(value) for value in doses if not isinstance(value, str) and value > 0]
    return bool(positive) and max(positive) / min(positive) >= LOG_ABOVE_RATIO


def _bins(doses: list[Scalar], *, log_scale: bool) -> list[Level]:
    values = pd.Series([float(value) for value in doses])
    bins = pd.qcut(values, MAX_BINS, labels=False, duplicates="drop")
    found = []
    for _, inside in values.groupby(bins):
        low, high = float(inside.min()), float(inside.max())
        centre = math.exp(float(np.log(inside).mean())) if log_scale else float(inside.mean())
        label = scalar(low) if low == high else f"{scalar(low)} to {scalar(high)}"
        found.append(Level(value=centre, label=label, low=low, high=high))
    return found


def _singles(doses: list[Scalar], asked_order: tuple[Scalar, ...] | None) -> list[Level]:
    distinct = set(doses)
    if any(isinstance(value, str) for value in distinct):
        order = {value: i for i, value in enumerate(asked_order or ())}
        ordered = sorted(distinct, key=lambda value: (order.get(value, len(order)), str(value)))
    else:
        ordered = sorted(distinct, key=float)
    return [Level(value=value, label=scalar(value)) for value in ordered]


def _index(levels: list[Level], doses: set[Scalar]) -> dict[Scalar | None, int]:
    found: dict[Scalar | None, int] = {}
    for i, level in enumerate(levels):
        if level.is_off:
            found[None] = i
        elif level.low is None or level.high is None:
            found[level.value] = i
        else:
            found |= {v: i for v in doses if not isinstance(v, str) and level.low <= v <= level.high}
    return found


def _cells(name: str, settings: dict[int, Point]) -> dict[int, int]:
    numbers: dict[tuple[tuple[str, Scalar], ...], int] = {}
    cells = {}
    for trial, values in settings.items():
        rest = tuple(sorted((k, v) for k, v in values.items() if not k.startswith(f"{name}.")))
        cells[trial] = numbers.setdefault(rest, len(numbers))
    return cells


def _reference(name: str, knob_name: str, levels: list[Level]) -> int | None:
    """Off; without off, the largest patience, or the first of the words that stand for no dose."""
    if levels and levels[0].is_off:
        return 0
    if len(levels) < 2:
        return None
    if name == "early_stopping":
        return len(levels) - 1
    return None if knob_name == next(iter(REGULARIZERS[name].knobs())) else 0
