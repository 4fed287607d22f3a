"""The contract between the coordinator and the places where training happens."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from trials.protocol import Cohort, Event, Verdicts


class ExecutorMissingError(Exception):
    """What an executor needs is not here."""


class Executor(ABC):
    """Trains cohorts somewhere, and tells what happened.

    The caller submits at most `free_slots()` cohorts, polls, and answers every `SegmentReport` with `Verdicts`;
    training of that cohort waits for the answer. Each submitted cohort ends with exactly one `CohortFinished`,
    `CohortRefused` or `CohortLost`. An executor never raises for what training does: a training process that aborts,
    hangs or runs out of memory is an event. All methods are called from one thread.
    """

    @abstractmethod
    def free_slots(self) -> int:
        """How many more cohorts can be submitted now."""

    @property
    @abstractmethod
    def n_slots(self) -> int:
        """How many cohorts can train at once."""

    @abstractmethod
    def submit(self, cohort: Cohort) -> None:
        """Starts training a cohort.

        Raises:
            RuntimeError: There is no free slot.
        """

    @abstractmethod
    def poll(self, timeout_seconds: float) -> list[Event]:
        """Events since the last poll, in order per cohort; waits up to the timeout for the first."""

    @abstractmethod
    def answer(self, verdicts: Verdicts) -> None:
        """Answers a segment report. Verdicts for a cohort that has ended are ignored."""

    @abstractmethod
    def cancel(self, cohort_id: str) -> None:
        """Ends a cohort by force; a `CohortLost` with cause `cancelled` follows. Unknown cohorts are ignored."""

    @abstractmethod
    def close(self) -> None:
        """Ends all training and frees everything; cohorts under way are lost without an event. May be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
