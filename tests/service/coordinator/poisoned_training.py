"""Training by formula in a process of its own, which some dropout rates poison."""

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NoReturn

import numpy as np

from tests.formula_executor import curve_of, result_of
from tests.trials.executors.training_functions import never_return, take_memory
from trials.curves import pack
from trials.protocol import Cohort, CohortFinished, Lane, LaneReport, ReplicateResult, SegmentReport, Verdicts

Steps = Generator[SegmentReport, Verdicts, CohortFinished]

ABORTS, EXHAUSTS, HANGS, DIVERGES = 0.11, 0.22, 0.33, 0.44
MOST_LANES_IN_MEMORY = 2


def abort() -> NoReturn:
    os.abort()


POISONS: dict[float, Callable[[], None]] = {ABORTS: abort, EXHAUSTS: take_memory, HANGS: never_return}


def train(cohort: Cohort, _datasets_dir: Path) -> Steps:
    """Half of the epochs in a first segment; then what poisons a cohort acts."""
    yield _segment(cohort, cohort.training.epochs // 2)
    for rate in {_rate(lane) for lane in cohort.lanes} & POISONS.keys():
        POISONS[rate]()
    yield _segment(cohort, cohort.training.epochs)
    return CohortFinished(cohort_id=cohort.cohort_id)


def train_in_little_memory(cohort: Cohort, datasets_dir: Path) -> Steps:
    """Has room for so many lanes and no more."""
    if len(cohort.lanes) > MOST_LANES_IN_MEMORY:
        take_memory()
    return train(cohort, datasets_dir)


def _rate(lane: Lane) -> float:
    return float(lane.settings.get("dropout.rate", 0.0))


def _segment(cohort: Cohort, n_epochs: int) -> SegmentReport:
    is_last = n_epochs == cohort.training.epochs
    reports = tuple(_report(lane, n_epochs, is_last=is_last) for lane in cohort.lanes)
    return SegmentReport(cohort_id=cohort.cohort_id, lanes=reports, seconds=0.0, peak_memory_bytes=0)


def _report(lane: Lane, n_epochs: int, *, is_last: bool) -> LaneReport:
    curve = curve_of(lane, n_epochs)
    if _rate(lane) == DIVERGES:
        curve = np.full_like(curve, np.nan)
    results = [result_of(reader, lane, curve, is_last=is_last) for reader in lane.readers]
    answered: tuple[ReplicateResult, ...] = tuple(result for result in results if result is not None and is_last)
    return LaneReport(lane_id=lane.lane_id, n_epochs=n_epochs, curve=pack(curve), results=answered)
