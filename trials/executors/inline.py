"""Training in this very process: for tests and debugging."""

import time
from dataclasses import dataclass
from pathlib import Path

from trials.executors.base import Executor
from trials.executors.steps import Steps, Train, advance
from trials.protocol import Cohort, CohortLost, Event, LossCause, SegmentReport, Verdicts


@dataclass
class _UnderWay:
    cohort: Cohort
    steps: Steps
    submitted_at: float
    awaits_answer: bool = False
    answer: Verdicts | None = None


class InlineExecutor(Executor):
    """Trains one cohort at a time; `poll` trains one segment, whatever its timeout.

    Nothing can be interrupted within a segment: the time limit and `cancel` act between segments.

    Args:
        train: The training function.
        datasets_dir: Where `NAME.npz` files lie.
    """

    def __init__(self, train: Train, datasets_dir: Path) -> None:
        self._train = train
        self._datasets_dir = datasets_dir
        self._under_way: _UnderWay | None = None
        self._events: list[Event] = []

    def free_slots(self) -> int:
        """One while nothing trains."""
        return 0 if self._under_way else 1

    @property
    def n_slots(self) -> int:
        """One."""
        return 1

    def submit(self, cohort: Cohort) -> None:
        """Makes the cohort the next to train."""
        if self._under_way:
            raise RuntimeError("expected a free slot; received a cohort while one is training")
        self._under_way = _UnderWay(cohort, self._train(cohort, self._datasets_dir), time.monotonic())

    def poll(self, timeout_seconds: float) -> list[Event]:
        """Trains one segment if one can be trained, else waits."""
        current = self._under_way
        if current and not current.awaits_answer:
            self._events.append(self._advance(current))
        elif not self._events:
            time.sleep(timeout_seconds)
        events, self._events = self._events, []
        return events

    def _advance(self, current: _UnderWay) -> Event:
        limit = current.cohort.max_seconds
        if limit is not None and time.monotonic() - current.submitted_at > limit:
            return self._lose(current, "deadline", f"over its limit of {limit:g} s")
        event = advance(current.cohort.cohort_id, current.steps, current.answer)
        if isinstance(event, SegmentReport):
            current.awaits_answer = True
        else:
            self._under_way = None
        return event

    def answer(self, verdicts: Verdicts) -> None:
        """Lets the next `poll` go on with these verdicts."""
        current = self._under_way
        if current and current.awaits_answer and current.cohort.cohort_id == verdicts.cohort_id:
            current.awaits_answer, current.answer = False, verdicts

    def cancel(self, cohort_id: str) -> None:
        """Ends a cohort between two segments."""
        current = self._under_way
        if current and current.cohort.cohort_id == cohort_id:
            self._events.append(self._lose(current, "cancelled", "cancelled on request"))

    def close(self) -> None:
        """Drops the cohort under way."""
        if self._under_way:
            self._under_way.steps.close()
        self._under_way = None

    def _lose(self, current: _UnderWay, cause: LossCause, reason: str) -> CohortLost:
        current.steps.close()
        self._under_way = None
        return CohortLost(cohort_id=current.cohort.cohort_id, cause=cause, reason=reason)
