"""Where the levels of a regularizer stand on a dose axis, the same for every kind of picture."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from service.effects.frame import ACCURACIES, measured
from service.effects.levels import levels_of
from service.effects.records import StudyRecord
from service.effects.view import LevelEffect, RegularizerEffect
from service.effects.wording import scalar, title

MAX_REPLICATES_SHOWN = 600

OFF_GAP = 0.15
"""Distance of off from the smallest dose, as a share of the doses' span."""

MIN_TICK_DISTANCE = 0.06
"""Share of the axis; labels nearer to their left neighbour than this are left out."""


@dataclass(frozen=True, kw_only=True)
class DoseAxis:
    """A dose axis.

    Attributes:
        positions: Where each level stands; logarithms of doses where the scale is logarithmic.
        ticks: Position and text of the labels.
        spacing: Smallest distance of two levels, for jitter.
        separator: Where a line sets off from the doses, if off is not a dose on the same scale.
    """

    positions: list[float]
    ticks: list[tuple[float, str]]
    spacing: float
    separator: float | None
    title: str


def dose_axis(effect: RegularizerEffect) -> DoseAxis:
    """Lays out the levels: words side by side, numbers by size, off at the left."""
    positions, separator = _positions(effect)
    gaps = np.diff(sorted(positions))
    return DoseAxis(
        positions=positions,
        ticks=_thinned([(x, _tick_text(level)) for x, level in zip(positions, effect.levels, strict=True)]),
        spacing=float(gaps.min()) if gaps.size else 1.0,
        separator=separator,
        title=f"{title(effect.name)}: {effect.knob}" + (" (logarithmic scale)" if effect.log_scale else ""),
    )


def _tick_text(level: LevelEffect) -> str:
    if level.value is None:
        return level.label
    return f"{scalar(level.value)} (off)" if level.is_off else scalar(level.value)


def _positions(effect: RegularizerEffect) -> tuple[list[float], float | None]:
    if effect.kind == "category":
        return [float(i) for i in range(len(effect.levels))], None
    doses = [float(level.value) for level in effect.levels if not level.is_off and level.value is not None]
    scaled = [math.log10(dose) if effect.log_scale else dose for dose in doses]
    if len(doses) == len(effect.levels):
        return scaled, None
    if not scaled:
        return [0.0], None
    off = effect.levels[0].value
    if off is not None and not effect.log_scale:
        return [float(off), *scaled], None
    gap = OFF_GAP * (scaled[-1] - scaled[0]) or 1.0
    return [scaled[0] - gap, *scaled], scaled[0] - gap / 2


def _thinned(ticks: list[tuple[float, str]]) -> list[tuple[float, str]]:
    span = max(ticks)[0] - min(ticks)[0] if ticks else 0.0
    kept: list[tuple[float, str]] = []
    for tick in sorted(ticks):
        if not kept or tick[0] - kept[-1][0] >= MIN_TICK_DISTANCE * span:
            kept.append(tick)
    return kept


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The replicates drawn as points, and how many there are in all."""

    rows: pd.DataFrame
    n_all: int

    @property
    def note(self) -> str:
        """What a caption has to say about them."""
        if len(self.rows) == self.n_all:
            return f"{self.n_all:,} replicates"
        return f"{len(self.rows):,} of {self.n_all:,} replicates drawn"


def replicates_shown(record: StudyRecord, name: str) -> Shown:
    """The replicates with their accuracies and the index of their `level`, evenly thinned where there are many."""
    rows = levels_of(name, measured(record)).rows[["level", *ACCURACIES]]
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MAX_REPLICATES_SHOWN)).astype(int))
    return Shown(rows=rows.iloc[chosen], n_all=len(rows))


def jitter(count: int, width: float) -> list[float]:
    """Reproducible offsets around 0, so that replicates of equal accuracy can be told apart."""
    return [float(x) for x in np.random.default_rng(0).uniform(-width / 2, width / 2, count)]
