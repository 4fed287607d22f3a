"""What a coordinator has before it: the studies it owns, the cohorts under way, the events it has not dealt with."""

import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from search_spaces.spec import StudySpec
from service.coordinator.group import MAX_LANES, lanes_per_cohort
from service.coordinator.lease import Lease, Leases
from service.database import queries_work as work
from service.database.engine import Database
from service.database.queries_studies import StudyRow, select_any_study
from service.optuna_bridge import OptunaBridge, OptunaStudy
from trials.executors.base import Executor
from trials.protocol import Cohort, Event


@dataclass
class OwnedStudy:
    """A study that this coordinator owns.

    Attributes:
        lanes_per_cohort: Lanes that its cohorts aim at.
        max_lanes: Lanes that its cohorts may have; fewer after memory ran out.
        is_active: Whether it is to be trained; if not, only Optuna's view of it is to be brought up to date.
        reported: Trial id to the last epoch that Optuna was told about.
        n_cohorts: How many cohorts it was split into so far, for their ids.
        twin: Its twin in Optuna; None until needed, and after an outage.
        version: The version of its row that was read last.
        priority: The higher, the earlier it gets a free slot.
    """

    lease: Lease
    spec: StudySpec
    lanes_per_cohort: int
    max_lanes: int = MAX_LANES
    is_active: bool = True
    reported: dict[int, int] = field(default_factory=dict)
    n_cohorts: int = 0
    twin: OptunaStudy | None = None
    version: int = 0
    priority: int = 0

    @property
    def id(self) -> str:
        """The study's id."""
        return self.lease.study_id


@dataclass
class Flight:
    """A cohort under way.

    Attributes:
        lease: The lease under which it was sent out.
        owed: The replicates it still owes.
        abandoned_at: When it was noticed that nobody wants it any more; it should end at its next report.
    """

    cohort: Cohort
    lease: Lease
    owed: set[int]
    abandoned_at: float | None = None


@dataclass
class Desk:
    """Everything the stages of the loop work on.

    Attributes:
        checkpoints_dir: Where training keeps the states of lanes, a folder per study; None keeps nothing.
        events: What training said and was not dealt with yet; an event stays until it is recorded.
        unsure: Whether the database was away, so that a commit may have happened that we do not know of.
        n_refused_writes: How often a write was refused because a study was no longer ours.
    """

    database: Database
    executor: Executor
    leases: Leases
    bridge: OptunaBridge
    checkpoints_dir: Path | None = None
    studies: dict[str, OwnedStudy] = field(default_factory=dict)
    flights: dict[str, Flight] = field(default_factory=dict)
    events: deque[Event] = field(default_factory=deque)
    unsure: bool = False
    n_refused_writes: int = 0

    @contextmanager
    def write(self, study: OwnedStudy) -> Iterator[Connection]:
        """A write transaction on a study, refused if the study is no longer ours.

        Raises:
            LeaseLostError: It is not.
        """
        with self.database.begin() as connection:
            self.leases.guard(connection, study.lease)
            yield connection

    def row(self, connection: Connection, study: OwnedStudy) -> StudyRow:
        """The study's row, also of one that is being deleted."""
        return select_any_study(connection, study.id)

    def twin(self, study: OwnedStudy) -> OptunaStudy:
        """The study's twin in Optuna, opened and reconciled when first asked for."""
        if study.twin is None:
            with self.database.read() as connection:
                open_points = work.open_points(connection, study.id)
            study.twin = self.bridge.open(study.id, study.spec, open_points)
        return study.twin

    def own(self, lease: Lease, row: StudyRow) -> None:
        """Puts a study on the desk whose lease was just taken.

        Raises:
            ValidationError: Its spec was stored by a version that knew other studies.
        """
        spec = StudySpec.model_validate(row["spec"])
        lanes = lanes_per_cohort(spec, self.executor.n_slots)
        self.studies[lease.study_id] = OwnedStudy(lease, spec, lanes, is_active=row["state"] == "running")
        self._note(self.studies[lease.study_id], row)

    def read_again(self, study: OwnedStudy) -> None:
        """Goes by what a study asks now; users may have given it another budget, name or priority."""
        with self.database.read() as connection:
            row = self.row(connection, study)
        spec = StudySpec.model_validate(row["spec"])
        if spec != study.spec:
            study.spec, study.twin = spec, None
        self._note(study, row)

    def _note(self, study: OwnedStudy, row: StudyRow) -> None:
        study.version, study.priority = row["version"], row["priority"]

    def drop(self, study: OwnedStudy) -> None:
        """Forgets a study that is no longer ours; its cohorts are stopped when they next report."""
        self.studies.pop(study.id, None)

    def clear_checkpoints(self, study: OwnedStudy) -> None:
        """Removes the states kept of a study's lanes, once nothing of it will be trained any more."""
        if (folder := self.checkpoints_of(study.id)) is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def doubt(self) -> None:
        """After an outage: reopen the twins, and look for replicates that were handed out without our knowing."""
        self.unsure = True
        for study in self.studies.values():
            study.twin = None

    def checkpoints_of(self, study_id: str) -> Path | None:
        """Where the states of a study's lanes are kept."""
        return None if self.checkpoints_dir is None else self.checkpoints_dir / study_id

    def study_of(self, event: Event) -> str:
        """Id of the study that an event is about; empty if its cohort is not known."""
        flight = self.flights.get(event.cohort_id)
        return flight.cohort.study_id if flight else ""

    def owner_of(self, flight: Flight) -> OwnedStudy | None:
        """The study that a cohort belongs to, if it is ours under the same lease as when the cohort was sent out."""
        study = self.studies.get(flight.cohort.study_id)
        return study if study is not None and study.lease is flight.lease else None
