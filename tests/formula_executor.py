"""An executor that trains by formula: deterministic, quick, and able to lose, refuse or stall cohorts on demand."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from trials.curves import CURVE_METRICS, Curve, pack, row
from trials.early_stopping import replay
from trials.executors.base import Executor
from trials.protocol import (
    Cohort,
    CohortFinished,
    CohortLost,
    CohortRefused,
    Event,
    Lane,
    LaneReport,
    Metrics,
    Reader,
    ReplicateResult,
    SegmentReport,
    Verdicts,
)

Fault = Callable[[Cohort], Event | None]
"""Called when a cohort is about to report; an event ends the cohort in its place."""

SEGMENT_EPOCHS = 4


@dataclass
class _Training:
    cohort: Cohort
    n_epochs: int = 0
    open: set[int] = field(default_factory=set)
    waits_for_verdicts: bool = False


class FormulaExecutor(Executor):
    """Accuracy grows with the epochs and is best at a dropout rate of 0.3; the seed and the settings add noise.

    A lane whose `l2.factor` is above 1 diverges.

    Attributes:
        submitted: Every cohort, in the order submitted.
        verdicts: Every answer.
    """

    def __init__(self, n_slots: int = 2, fault: Fault = lambda _cohort: None) -> None:
        self._n_slots = n_slots
        self._fault = fault
        self._trainings: dict[str, _Training] = {}
        self._cancelled: list[str] = []
        self.submitted: list[Cohort] = []
        self.verdicts: list[Verdicts] = []

    def free_slots(self) -> int:
        return self._n_slots - len(self._trainings)

    @property
    def n_slots(self) -> int:
        return self._n_slots

    def submit(self, cohort: Cohort) -> None:
        if self.free_slots() < 1:
            msg = "expected a free slot, received a cohort without one"
            raise RuntimeError(msg)
        self.submitted.append(cohort)
        readers = {reader.replicate_id for lane in cohort.lanes for reader in lane.readers}
        self._trainings[cohort.cohort_id] = _Training(cohort, open=readers)

    def poll(self, timeout_seconds: float) -> list[Event]:  # noqa: ARG002 - the contract's
        events: list[Event] = [
            CohortLost(cohort_id=cohort_id, cause="cancelled", reason="on request") for cohort_id in self._cancelled
        ]
        self._cancelled.clear()
        for training in list(self._trainings.values()):
            if not training.waits_for_verdicts:
                events.append(self._advance(training))
        return events

    def answer(self, verdicts: Verdicts) -> None:
        self.verdicts.append(verdicts)
        training = self._trainings.get(verdicts.cohort_id)
        if training is not None:
            training.open -= set(verdicts.stop)
            training.waits_for_verdicts = False

    def cancel(self, cohort_id: str) -> None:
        if self._trainings.pop(cohort_id, None) is not None:
            self._cancelled.append(cohort_id)

    def close(self) -> None:
        self._trainings.clear()

    def _advance(self, training: _Training) -> Event:
        cohort = training.cohort
        fault = self._fault(cohort)
        if fault is not None:
            del self._trainings[cohort.cohort_id]
            return fault
        if not training.open:
            del self._trainings[cohort.cohort_id]
            return CohortFinished(cohort_id=cohort.cohort_id)
        training.n_epochs = min(training.n_epochs + SEGMENT_EPOCHS, cohort.training.epochs)
        reports = tuple(report for lane in cohort.lanes if (report := self._report(training, lane)) is not None)
        training.waits_for_verdicts = True
        return SegmentReport(
            cohort_id=cohort.cohort_id, lanes=reports, seconds=0.01, peak_memory_bytes=1000, trained_by="by a formula"
        )

    def _report(self, training: _Training, lane: Lane) -> LaneReport | None:
        readers = [reader for reader in lane.readers if reader.replicate_id in training.open]
        if not readers:
            return None
        curve = curve_of(lane, training.n_epochs)
        is_last = training.n_epochs == training.cohort.training.epochs
        results = [result for reader in readers if (result := result_of(reader, lane, curve, is_last=is_last))]
        training.open -= {result.replicate_id for result in results}
        return LaneReport(lane_id=lane.lane_id, n_epochs=training.n_epochs, curve=pack(curve), results=tuple(results))


def curve_of(lane: Lane, n_epochs: int) -> Curve:
    """The curve of a lane: a function of settings, seed and epochs."""
    rate = float(lane.settings.get("dropout.rate", 0.0))
    factor = float(lane.settings.get("l2.factor", 0.0))
    noise = np.random.default_rng([lane.seed, zlib.crc32(repr(sorted(lane.settings.items())).encode())])
    epochs = np.arange(1, n_epochs + 1)
    level = 0.9 - (rate - 0.3) ** 2 - 0.01 * factor + noise.normal(0, 0.002)
    accuracy = level - 0.3 * np.exp(-epochs / 3) + 0.01 * np.sin(epochs)
    curve = np.empty((len(CURVE_METRICS), n_epochs), dtype=np.float32)
    for index, metric in enumerate(CURVE_METRICS):
        curve[index] = 1 - accuracy if metric.endswith("loss") else accuracy
    return np.full_like(curve, np.nan) if factor > 1 else curve


def result_of(reader: Reader, lane: Lane, curve: Curve, *, is_last: bool) -> ReplicateResult | None:
    """The replicate's answer, if the curve has it."""
    if np.isnan(curve).all():
        return ReplicateResult(replicate_id=reader.replicate_id, state="failed", reason="training diverged at epoch 1")
    last = selected = curve.shape[1] - 1
    ended = is_last
    if reader.rule is not None:
        stop = replay(row(curve, reader.rule.monitor), reader.rule)
        last, selected, ended = stop.last_epoch, stop.selected_epoch, is_last or stop.stopped
    if not ended:
        return None
    metrics = Metrics(**{name: float(row(curve, name)[selected]) for name in Metrics.model_fields})
    return ReplicateResult(
        replicate_id=reader.replicate_id,
        state="complete",
        metrics=metrics,
        selected_epoch=selected,
        last_epoch=last,
    )


def loses(cause: str, *, when: Callable[[Cohort], bool]) -> Fault:
    """Loses the cohorts that a condition picks."""

    def fault(cohort: Cohort) -> Event | None:
        if not when(cohort):
            return None
        return CohortLost.model_validate({"cohort_id": cohort.cohort_id, "cause": cause, "reason": "signal 9"})

    return fault


def refuses(reason: str) -> Fault:
    """Refuses every cohort."""
    return lambda cohort: CohortRefused(cohort_id=cohort.cohort_id, reason=reason)


def has_setting(key: str, value: float) -> Callable[[Cohort], bool]:
    """Whether some lane of a cohort has a setting of a value."""
    return lambda cohort: any(lane.settings.get(key) == value for lane in cohort.lanes)
