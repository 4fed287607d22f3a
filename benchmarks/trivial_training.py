"""A training function that costs nothing, so that what surrounds training can be timed."""

from collections.abc import Generator
from pathlib import Path

import numpy as np

from trials.curves import CURVE_METRICS, pack
from trials.protocol import (
    Cohort,
    CohortFinished,
    Lane,
    LaneReport,
    Metrics,
    ReplicateResult,
    SegmentReport,
    Verdicts,
)

SEGMENTS = 3


def train(cohort: Cohort, _datasets_dir: Path) -> Generator[SegmentReport, Verdicts, CohortFinished]:
    """Reports after each third of the epochs; every lane has its answer at the end."""
    epochs = cohort.training.epochs
    for segment in range(1, SEGMENTS + 1):
        n_epochs = epochs * segment // SEGMENTS
        curve = pack(np.full((len(CURVE_METRICS), n_epochs), 0.5, dtype=np.float32))
        lanes = tuple(_report(lane, n_epochs, curve, is_last=segment == SEGMENTS) for lane in cohort.lanes)
        yield SegmentReport(cohort_id=cohort.cohort_id, lanes=lanes, seconds=0.0, peak_memory_bytes=0)
    return CohortFinished(cohort_id=cohort.cohort_id)


def _report(lane: Lane, n_epochs: int, curve: bytes, *, is_last: bool) -> LaneReport:
    score = float(lane.settings.get("dropout.rate", 0.0))
    metrics = Metrics(**dict.fromkeys(Metrics.model_fields, score))
    results = [
        ReplicateResult(
            replicate_id=reader.replicate_id,
            state="complete",
            metrics=metrics,
            selected_epoch=n_epochs - 1,
            last_epoch=n_epochs - 1,
        )
        for reader in lane.readers
        if is_last
    ]
    return LaneReport(lane_id=lane.lane_id, n_epochs=n_epochs, curve=curve, results=tuple(results))
