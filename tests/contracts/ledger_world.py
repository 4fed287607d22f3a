"""A ledger on one kind of database with two coordinators whose every step, outage and death is chosen from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from optuna.trial import TrialState
from sqlalchemy import Connection, RowMapping, select, update

from search_spaces.spec import StudySpec
from search_spaces.values import Point
from service.coordinator.attention import attend, guarded, released
from service.coordinator.conclude import conclude, settle
from service.coordinator.desk import Desk
from service.coordinator.dispatch import send_out
from service.coordinator.lease import Leases
from service.coordinator.plan import plan
from service.coordinator.record import record_all
from service.database.engine import Database
from service.database.tables import replicates, studies, trials
from service.errors import DatabaseUnavailableError
from service.optuna_bridge import OptunaBridge
from service.settings import Settings
from service.studies import Studies
from service.study_changes import StudyChanges
from trials.curves import CURVE_METRICS, pack
from trials.executors.base import Executor
from trials.protocol import (
    Cohort,
    CohortFinished,
    CohortLost,
    CohortRefused,
    Event,
    LaneReport,
    Metrics,
    ReplicateResult,
    SegmentReport,
    Verdicts,
)

LEASE_SECONDS = 3600.0
"""No lease ends by itself within a test; `World.expire_leases_of_others` ends them."""

MAX_ROUNDS = 60

Name = tuple[int, int, int]
"""A replicate by the number of its study, the number of its trial, and its seed: the same on every database."""

GONE: Name = (-1, -1, -1)
"""A replicate of a deleted study."""


class KilledError(BaseException):
    """The coordinator dies here. Not an Exception, so that nothing survives it."""


@dataclass
class Strike:
    """What happens to one access of the database.

    Attributes:
        accesses: Accesses that go well before it.
        takes_place: Whether the work is done and only the answer is lost.
        kills: Whether the coordinator dies of it; if not, the database is away for a moment.
    """

    accesses: int
    takes_place: bool
    kills: bool
    has_hit: bool = False


class UnreliableDatabase(Database):
    """Strikes once, where it is told to."""

    strike: Strike | None = None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        strike = self._hit_before()
        with super().begin() as connection:
            yield connection
        _hit(strike)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        strike = self._hit_before()
        with super().read() as connection:
            yield connection
        _hit(strike)

    def _hit_before(self) -> Strike | None:
        strike = self.strike
        if strike is None or strike.has_hit:
            return None
        strike.accesses -= 1
        if strike.accesses >= 0:
            return None
        if not strike.takes_place:
            _hit(strike)
        return strike


def _hit(strike: Strike | None) -> None:
    if strike is None:
        return
    strike.has_hit = True
    if strike.kills:
        raise KilledError
    raise DatabaseUnavailableError("on purpose")


class ManualExecutor(Executor):
    """Trains nothing: what happens to a cohort is chosen from outside."""

    def __init__(self) -> None:
        self.cohorts: dict[str, Cohort] = {}
        self.open: dict[str, set[int]] = {}

    def free_slots(self) -> int:
        return self.n_slots - len(self.cohorts)

    @property
    def n_slots(self) -> int:
        return 2

    def submit(self, cohort: Cohort) -> None:
        assert self.free_slots() > 0
        self.cohorts[cohort.cohort_id] = cohort
        self.open[cohort.cohort_id] = {r.replicate_id for lane in cohort.lanes for r in lane.readers}

    def poll(self, timeout_seconds: float) -> list[Event]:  # noqa: ARG002 - the contract's
        return []

    def answer(self, verdicts: Verdicts) -> None:
        self.open[verdicts.cohort_id] -= set(verdicts.stop)

    def cancel(self, cohort_id: str) -> None:
        self.cohorts.pop(cohort_id, None)

    def close(self) -> None:
        self.cohorts.clear()

    def report(self, place: int, n_results: int, value: float, *, diverges: bool) -> Event:
        """A segment in which some replicates have their answers; the end if all had theirs before."""
        cohort = list(self.cohorts.values())[place]
        waiting = self.open[cohort.cohort_id]
        if not waiting:
            return self.end(place, "finished")
        answered = sorted(waiting)[:n_results]
        self.open[cohort.cohort_id] = waiting - set(answered)
        reports = [
            LaneReport(
                lane_id=lane.lane_id,
                n_epochs=4,
                curve=pack(np.full((len(CURVE_METRICS), 4), value, dtype=np.float32)),
                results=tuple(
                    _result(reader.replicate_id, value, diverges=diverges)
                    for reader in lane.readers
                    if reader.replicate_id in answered
                ),
            )
            for lane in cohort.lanes
        ]
        return SegmentReport(cohort_id=cohort.cohort_id, lanes=tuple(reports), seconds=0.1, peak_memory_bytes=1)

    def end(self, place: int, ending: str) -> Event:
        """The end of a cohort: `finished`, whether all have their answers or not, `refused`, or lost for a cause."""
        cohort_id = list(self.cohorts)[place]
        del self.cohorts[cohort_id]
        if ending == "finished":
            return CohortFinished(cohort_id=cohort_id)
        if ending == "refused":
            return CohortRefused(cohort_id=cohort_id, reason="on purpose")
        return CohortLost.model_validate({"cohort_id": cohort_id, "cause": ending, "reason": "on purpose"})


def _result(replicate_id: int, value: float, *, diverges: bool) -> ReplicateResult:
    if diverges:
        return ReplicateResult(replicate_id=replicate_id, state="failed", reason="training diverged at epoch 1")
    metrics = Metrics(**dict.fromkeys(Metrics.model_fields, value))
    return ReplicateResult(replicate_id=replicate_id, state="complete", metrics=metrics, selected_epoch=3, last_epoch=3)


class ReplicateSeen(NamedTuple):
    """A replicate as the ledger has it."""

    state: str
    value: float | None


class TrialSeen(NamedTuple):
    """A trial as the ledger has it."""

    key: str
    origin: str
    state: str
    own_faults: int
    lost_workers: int
    suspicions: int
    replicates: dict[int, ReplicateSeen]


class StudySeen(NamedTuple):
    """A study as the ledger has it."""

    state: str
    planned: bool
    settled: bool
    is_leased: bool
    trials: dict[int, TrialSeen]


@dataclass
class World:
    """One database with its coordinators. `None` in `seen` stands for a study that is gone."""

    database: UnreliableDatabase
    bridge: OptunaBridge
    settings: Settings
    ids: list[str] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.studies = Studies(self.database, self.settings)
        self.desks = [self.new_desk(), self.new_desk()]

    def new_desk(self) -> Desk:
        """A coordinator that has just started."""
        return Desk(self.database, ManualExecutor(), Leases(self.database, LEASE_SECONDS), self.bridge)

    def executor(self, c: int) -> ManualExecutor:
        """Where a coordinator's cohorts are."""
        executor = self.desks[c].executor
        assert isinstance(executor, ManualExecutor)
        return executor

    def submit(self, spec: StudySpec) -> None:
        """Stores a study."""
        self.ids.append(self.studies.create(spec).id)

    def attend(self, c: int) -> None:
        """Lets a coordinator look after its studies, take free ones and plan."""
        desk = self.desks[c]
        attend(desk, None)
        for study in list(desk.studies.values()):
            with guarded(desk, study):
                (plan if study.is_active else settle)(desk, study)

    def send(self, c: int) -> None:
        """Lets a coordinator fill its slots."""
        send_out(self.desks[c])

    def record(self, c: int) -> None:
        """Lets a coordinator deal with its events."""
        record_all(self.desks[c])

    def conclude(self, c: int) -> None:
        """Lets a coordinator conclude its studies."""
        for study in list(self.desks[c].studies.values()):
            with guarded(self.desks[c], study):
                conclude(self.desks[c], study)

    def release(self, c: int) -> None:
        """Stops a coordinator gracefully; another takes its place."""
        with released(self.desks[c]):
            pass
        self.desks[c] = self.new_desk()

    def expire_leases_of_others(self, c: int) -> None:
        """Lets the time of all leases pass but those of one coordinator."""
        others = studies.c.lease_holder != self.desks[c].leases.holder
        with self.database.begin() as connection:
            connection.execute(update(studies).where(others).values(lease_until=0.0))

    def owned(self, c: int) -> set[int]:
        """Numbers of the studies that a coordinator believes to own."""
        return {self.ids.index(study_id) for study_id in self.desks[c].studies}

    def hear(self, c: int, event: Event) -> None:
        """Lets a coordinator hear of training."""
        self.desks[c].events.append(event)

    def steer(self, index: int, verb: str) -> None:
        """A user's wish."""
        study_id = self.ids[index]
        if verb == "delete":
            self.studies.delete(study_id, self.studies.get(study_id).version)
        else:
            getattr(self.studies, verb)(study_id)

    def enqueue(self, index: int, point: Point) -> None:
        """A user's own point."""
        self.studies.enqueue(self.ids[index], [point])

    def rebudget(self, index: int, n_trials: int) -> None:
        """A user's other budget."""
        changes = StudyChanges.model_validate({"budget": {"trials": n_trials}})
        self.studies.change(self.ids[index], self.studies.get(self.ids[index]).version, changes)

    def finish(self) -> None:
        """Lets everything come to its end with a new coordinator after all others have vanished."""
        for index, study in enumerate(self.seen()):
            if study is not None and study.state == "paused":
                self.steer(index, "resume")
        self.desks = [self.new_desk()]
        self.expire_leases_of_others(0)
        for _ in range(MAX_ROUNDS):
            if all(study is None or study.settled for study in self.seen()):
                return
            self.attend(0)
            self.send(0)
            for place in range(len(self.executor(0).cohorts)):
                self.hear(0, self.executor(0).report(place, 100, 0.5, diverges=False))
            self.record(0)
            while self.executor(0).cohorts:
                self.hear(0, self.executor(0).end(0, "finished"))
            self.record(0)
            self.conclude(0)
        raise AssertionError(f"expected all studies to end within {MAX_ROUNDS} rounds")

    def told(self, index: int) -> dict[int, tuple[str, float | None]]:
        """What Optuna knows of a study's trials; asserts that it knows none twice and none as running."""
        spec = StudySpec.model_validate(self.studies.get(self.ids[index]).spec)
        found = self.bridge.trials(self.ids[index], spec)
        assert all(trial.state.is_finished() for trial in found)
        told = [(t.user_attrs["trial"], t) for t in found if "trial" in t.user_attrs]
        assert len({number for number, _ in told}) == len(told)
        return {n: (t.state.name, t.value if t.state is TrialState.COMPLETE else None) for n, t in told}

    def first_open(self, c: int, place: int, n: int) -> list[Name]:
        """The first replicates of a cohort that wait for their answers."""
        names = self.names()
        executor = self.executor(c)
        waiting = sorted(executor.open[list(executor.cohorts)[place]])
        return [names.get(replicate_id, GONE) for replicate_id in waiting[:n]]

    def cohorts(self, c: int) -> list[tuple[int, list[Name]]]:
        """The cohorts under way at a coordinator: number of lanes, and the replicates they were sent out with."""
        names = self.names()
        return [
            (len(cohort.lanes), sorted(names.get(r.replicate_id, GONE) for lane in cohort.lanes for r in lane.readers))
            for cohort in self.executor(c).cohorts.values()
        ]

    def names(self) -> dict[int, Name]:
        """Replicate id to name, for studies that are not deleted."""
        return {row["id"]: (self.ids.index(row["study_id"]), row["number"], row["seed"]) for row in self._rows()}

    def seen(self) -> list[StudySeen | None]:
        """Everything the ledger has."""
        with self.database.read() as connection:
            rows = {row["id"]: row for row in connection.execute(select(studies)).mappings()}
        found: list[StudySeen | None] = [
            StudySeen(row["state"], row["planned"], row["settled"], row["lease_holder"] is not None, {})
            if row
            else None
            for row in (rows.get(study_id) for study_id in self.ids)
        ]
        for row in self._rows():
            study = found[self.ids.index(row["study_id"])]
            assert study is not None
            columns = (row["point_key"], row["origin"], row["trial_state"], row["own_faults"], row["lost_workers"])
            trial = study.trials.setdefault(row["number"], TrialSeen(*columns, row["suspicions"], {}))
            trial.replicates[row["seed"]] = ReplicateSeen(row["state"], row["validation_accuracy"])
        return found

    def running(self) -> list[RowMapping]:
        """Replicates that run, with the holder of their study's lease."""
        statement = (
            select(replicates.c.id, replicates.c.cohort_id, studies.c.lease_holder, studies.c.state.label("of_study"))
            .join(studies, studies.c.id == replicates.c.study_id)
            .where(replicates.c.state == "running")
        )
        with self.database.read() as connection:
            return list(connection.execute(statement).mappings())

    def _rows(self) -> list[RowMapping]:
        columns = [trials.c[name] for name in ("number", "point_key", "origin", "own_faults", "lost_workers")]
        statement = (
            select(replicates, *columns, trials.c.suspicions, trials.c.state.label("trial_state"))
            .join(trials, trials.c.id == replicates.c.trial_id)
            .where(replicates.c.study_id.in_(self.ids))
            .order_by(trials.c.number, replicates.c.seed)
        )
        with self.database.read() as connection:
            return list(connection.execute(statement).mappings())
