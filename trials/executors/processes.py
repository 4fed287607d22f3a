"""Training in child processes of this machine: one per core or GPU, each with its own memory, watched and replaced."""

import selectors
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from trials.errors import shorten
from trials.executors.base import Executor
from trials.executors.child import EXIT_GRACE_SECONDS
from trials.executors.places import Place
from trials.executors.steps import tells_of_memory
from trials.executors.trainer import Trainer, TrainerOptions
from trials.executors.wire import EVENTS, BrokenMessageError
from trials.protocol import Cohort, CohortLost, Event, LossCause, SegmentReport, Verdicts


@dataclass(frozen=True, kw_only=True)
class ProcessLimits:
    """When a training process is replaced.

    Attributes:
        max_cohorts: After so many cohorts.
        recycle_bytes: Between two cohorts, when it holds more memory than this; 0 for never.
        progress_deadline_seconds: In mid-cohort, when it was silent for so long.
    """

    max_cohorts: int
    recycle_bytes: int
    progress_deadline_seconds: float


@dataclass
class _Slot:
    number: int
    place: Place
    trainer: Trainer | None = None
    cohort: Cohort | None = None
    submitted_at: float = 0.0
    heard_at: float = 0.0
    awaits_answer: bool = False


class ProcessesExecutor(Executor):
    """Trains each cohort in a child process. Children start when they are first needed.

    Args:
        options: What every child is started with.
        places: What each child has to itself; as many run at once.
        limits: When a child is replaced.
        logs_dir: Where `trainer-<n>.log` are written.
    """

    def __init__(
        self,
        options: TrainerOptions,
        *,
        places: Sequence[Place],
        limits: ProcessLimits,
        logs_dir: Path,
    ) -> None:
        self._options = options
        self._limits = limits
        self._logs_dir = logs_dir
        self._slots = [_Slot(number, place) for number, place in enumerate(places)]
        self._events: list[Event] = []

    def free_slots(self) -> int:
        """Children, started or not, that train nothing."""
        return sum(slot.cohort is None for slot in self._slots)

    @property
    def n_slots(self) -> int:
        """Number of children that may run at once."""
        return len(self._slots)

    def pids(self) -> list[int]:
        """Ids of the children that were started and not yet ended; each leads its own process group."""
        return [slot.trainer.pid for slot in self._slots if slot.trainer]

    def submit(self, cohort: Cohort) -> None:
        """Hands the cohort to a free child, preferably one that has compiled the same program before."""
        free = [slot for slot in self._slots if slot.cohort is None]
        if not free:
            raise RuntimeError(f"expected a free slot; received a cohort while all {len(self._slots)} are training")
        program = program_key(cohort)
        for idle in free:
            self._replace_if_worn(idle)
        slot = max(free, key=lambda s: (s.trainer is not None and program in s.trainer.programs, s.trainer is not None))
        slot.cohort, slot.awaits_answer = cohort, False
        slot.submitted_at = slot.heard_at = time.monotonic()
        try:
            trainer = slot.trainer = slot.trainer or self._start(slot)
        except OSError as error:
            self._lose(slot, "abort", f"the training process cannot be started: {error}")
            return
        trainer.n_cohorts += 1
        trainer.programs.add(program)
        trainer.send(cohort)

    def poll(self, timeout_seconds: float) -> list[Event]:
        """Hears what the children say, and ends those that are over a limit."""
        until = time.monotonic() + timeout_seconds
        while True:
            remaining = 0.0 if self._events else max(until - time.monotonic(), 0.0)
            self._listen(min(remaining, self._seconds_to_next_limit()))
            self._enforce_limits()
            if self._events or time.monotonic() >= until:
                events, self._events = self._events, []
                return events

    def answer(self, verdicts: Verdicts) -> None:
        """Sends the verdicts to the child that waits for them."""
        for slot in self._slots:
            if slot.cohort and slot.cohort.cohort_id == verdicts.cohort_id and slot.trainer and slot.awaits_answer:
                slot.awaits_answer, slot.heard_at = False, time.monotonic()
                slot.trainer.send(verdicts)

    def cancel(self, cohort_id: str) -> None:
        """Kills the child that trains this cohort."""
        for slot in self._slots:
            if slot.cohort and slot.cohort.cohort_id == cohort_id:
                self._end(slot)
                self._lose(slot, "cancelled", "cancelled on request")

    def close(self) -> None:
        """Kills and reaps every child."""
        for slot in self._slots:
            self._end(slot)
            slot.cohort = None
        self._events.clear()

    def _start(self, slot: _Slot) -> Trainer:
        return Trainer(self._options, slot.place, self._logs_dir / f"trainer-{slot.number}.log")

    def _replace_if_worn(self, slot: _Slot) -> None:
        trainer, limits = slot.trainer, self._limits
        if trainer is None:
            return
        held = trainer.resident_bytes()
        if held == 0 or trainer.n_cohorts >= limits.max_cohorts or 0 < limits.recycle_bytes < held:
            self._end(slot)

    def _listen(self, timeout_seconds: float) -> None:
        busy = [(slot, slot.trainer) for slot in self._slots if slot.cohort and slot.trainer]
        if not busy:
            time.sleep(timeout_seconds)
            return
        with selectors.DefaultSelector() as selector:
            for slot, trainer in busy:
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if trainer.has_unsent else 0)
                selector.register(trainer.channel, wanted, (slot, trainer))
            for key, ready in selector.select(timeout_seconds):
                slot, trainer = key.data
                if ready & selectors.EVENT_WRITE:
                    trainer.flush()
                if ready & selectors.EVENT_READ:
                    self._hear(slot, trainer)

    def _hear(self, slot: _Slot, trainer: Trainer) -> None:
        try:
            bodies = trainer.receive()
            events = None if bodies is None else [EVENTS.validate_json(body) for body in bodies]
        except (BrokenMessageError, ValidationError) as error:
            self._end(slot)
            self._lose(slot, "abort", f"the training process sent something unreadable: {error}")
            return
        if events is None:
            ending = self._end(slot, EXIT_GRACE_SECONDS)
            self._lose(slot, _cause(trainer, ending), ending)
            return
        for event in events:
            self._take(slot, event)

    def _take(self, slot: _Slot, event: Event) -> None:
        slot.heard_at = time.monotonic()
        slot.awaits_answer = isinstance(event, SegmentReport)
        self._events.append(event)
        if not slot.awaits_answer:
            slot.cohort = None
        if isinstance(event, CohortLost):
            self._end(slot)

    def _seconds_to_next_limit(self) -> float:
        return min(
            (at - time.monotonic() for slot in self._slots for at, _, _ in self._deadlines(slot)), default=3600.0
        )

    def _deadlines(self, slot: _Slot) -> list[tuple[float, LossCause, str]]:
        if slot.cohort is None:
            return []
        deadlines: list[tuple[float, LossCause, str]] = []
        if (limit := slot.cohort.max_seconds) is not None:
            deadlines.append((slot.submitted_at + limit, "deadline", f"over its limit of {limit:g} s"))
        if not slot.awaits_answer:
            silence = self._limits.progress_deadline_seconds
            deadlines.append((slot.heard_at + silence, "hang", f"no progress for {silence:g} s"))
        return deadlines

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            passed = [deadline for deadline in self._deadlines(slot) if deadline[0] <= now]
            if passed:
                _, cause, reason = min(passed)
                self._end(slot)
                self._lose(slot, cause, f"{reason}; the training process was ended")

    def _lose(self, slot: _Slot, cause: LossCause, reason: str) -> None:
        if slot.cohort:
            self._events.append(CohortLost(cohort_id=slot.cohort.cohort_id, cause=cause, reason=shorten(reason)))
        slot.cohort = None

    def _end(self, slot: _Slot, grace_seconds: float = 0.0) -> str:
        ending = slot.trainer.end(grace_seconds) if slot.trainer else ""
        slot.trainer = None
        return ending


def _cause(trainer: Trainer, ending: str) -> LossCause:
    if tells_of_memory(ending):
        return "memory"
    return "killed" if trainer.was_killed else "abort"


def program_key(cohort: Cohort) -> str:
    """Equal for cohorts that a process trains with the same compiled program."""
    return cohort.model_dump_json(exclude={"cohort_id", "study_id", "lanes", "max_seconds", "checkpoints_dir"})
