"""Which studies the coordinator attends to, and what it does when one is lost, broken, or the database is away."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pydantic import ValidationError

from service.coordinator.conclude import fail
from service.coordinator.desk import Desk, OwnedStudy
from service.database import queries_work as work
from service.database.queries_studies import select_any_study
from service.errors import DatabaseUnavailableError, LeaseLostError

log = logging.getLogger(__name__)

FIRST_BACK_OFF_SECONDS = 0.25
MAX_BACK_OFF_SECONDS = 5.0
ABANDONED_SECONDS = 5.0
"""Time that training nobody wants any more has to come to a segment's end before its process is killed."""
MAX_STUDIES = 8
"""Studies that one coordinator owns at a time; more wait, or go to another coordinator."""


def attend(desk: Desk, only: str | None) -> None:
    """Drops studies that were taken away, reads changed ones again, renews leases, and takes studies without an owner.

    Args:
        desk: The desk.
        only: The one study to attend to; None for all.
    """
    current = desk.leases.current(list(desk.studies)) if desk.studies else {}
    for study in list(desk.studies.values()):
        fence, version = current.get(study.id, (None, None))
        if fence != study.lease.fence:
            log.info("study %s was taken away", study.id, extra={"action": "study_taken_away"})
            desk.drop(study)
            continue
        if version != study.version:
            with guarded(desk, study):
                desk.read_again(study)
        if desk.leases.is_due(study.lease) or desk.unsure:
            with guarded(desk, study), desk.write(study) as connection:
                work.requeue_strays(connection, study.id, list(desk.flights))
    desk.unsure = False
    _end_abandoned(desk)
    room = MAX_STUDIES - len(desk.studies)
    if room > 0:
        for study_id in desk.leases.candidates(only=only, excluding=list(desk.studies), limit=room):
            _take(desk, study_id)


def _end_abandoned(desk: Desk) -> None:
    """Ends by force the cohorts of paused, cancelled and lost studies that do not come to a segment's end in time."""
    now = time.monotonic()
    for cohort_id, flight in desk.flights.items():
        if desk.owner_of(flight) is not None:
            continue
        if flight.abandoned_at is None:
            flight.abandoned_at = now
        elif now - flight.abandoned_at > ABANDONED_SECONDS:
            desk.executor.cancel(cohort_id)
            flight.abandoned_at = now


def _take(desk: Desk, study_id: str) -> None:
    """Takes a study, unless another coordinator is faster; one that cannot be read fails."""
    with desk.database.begin() as connection:
        lease = desk.leases.acquire(connection, study_id)
        row = select_any_study(connection, study_id) if lease else None
    if lease is None or row is None:
        return
    try:
        desk.own(lease, row)
    except ValidationError as error:
        log.exception("study %s cannot be read", study_id, extra={"action": "study_unreadable"})
        fail(desk, lease, f"its spec cannot be read by this version: {error}")


@contextmanager
def guarded(desk: Desk, study: OwnedStudy) -> Iterator[None]:
    """Keeps what goes wrong in one study from stopping the others.

    Raises:
        DatabaseUnavailableError: That is everybody's trouble; the round ends and is repeated.
    """
    try:
        yield
    except DatabaseUnavailableError:
        raise
    except LeaseLostError as error:
        log.warning("%s", error, extra={"action": "lease_lost"})
        desk.n_refused_writes += 1
        desk.drop(study)
    except Exception as error:
        log.exception("study %s broke", study.id, extra={"action": "study_broke"})
        desk.drop(study)
        with suppress(LeaseLostError):
            fail(desk, study.lease, f"internal error: {type(error).__name__}: {error}")


@contextmanager
def released(desk: Desk) -> Iterator[None]:
    """Gives everything back at the end of the block: work under way returns to the queue, and nothing is charged."""
    try:
        yield
    finally:
        for cohort_id in list(desk.flights):
            desk.executor.cancel(cohort_id)
        desk.flights.clear()
        desk.events.clear()
        for study in list(desk.studies.values()):
            try:
                with desk.database.begin() as connection:
                    desk.leases.release(connection, study.lease)
            except (DatabaseUnavailableError, LeaseLostError) as error:
                log.warning("%s", error, extra={"action": "release_failed"})
            desk.drop(study)
        desk.bridge.close()


class BackOff:
    """Waits out times when the database is away, longer and longer.

    Args:
        desk: Told to doubt what it believes about the database.
        stop: Ends a wait.
    """

    def __init__(self, desk: Desk, stop: threading.Event) -> None:
        self._desk = desk
        self._stop = stop
        self._seconds = FIRST_BACK_OFF_SECONDS

    @contextmanager
    def over_outages(self) -> Iterator[None]:
        """A block that is given up, after a wait, when the database is away."""
        try:
            yield
            self._seconds = FIRST_BACK_OFF_SECONDS
        except DatabaseUnavailableError as error:
            log.warning("%s", error, extra={"action": "database_away"})
            self._desk.doubt()
            self._stop.wait(self._seconds)
            self._seconds = min(2 * self._seconds, MAX_BACK_OFF_SECONDS)
