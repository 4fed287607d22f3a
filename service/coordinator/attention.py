"""Which studies the coordinator attends to, and what it does when one is lost, broken, or the database is away."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from service.coordinator.conclude import fail
from service.coordinator.desk import Desk, OwnedStudy
from service.database import queries_work as work
from service.errors import DatabaseUnavailableError, LeaseLostError

log = logging.getLogger(__name__)

MAX_STUDIES = 8
"""Studies that one coordinator owns at a time; more wait, or go to another coordinator."""


def attend(desk: Desk, only: str | None) -> None:
    """Lets go of studies that were taken away, renews the leases of the others, and takes studies without an owner.

    Args:
        desk: The desk.
        only: The one study to attend to; None for all.
    """
    fences = desk.leases.current_fences(list(desk.studies)) if desk.studies else {}
    for study in list(desk.studies.values()):
        if fences.get(study.id) != study.lease.fence:
            log.info("study %s was taken away", study.id, extra={"action": "study_taken_away"})
            desk.drop(study)
        elif desk.leases.is_due(study.lease) or desk.unsure:
            with guarded(desk, study), desk.write(study) as connection:
                work.requeue_strays(connection, study.id, list(desk.flights))
    desk.unsure = False
    room = MAX_STUDIES - len(desk.studies)
    if room > 0:
        for study_id in desk.leases.candidates(only=only, excluding=list(desk.studies), limit=room):
            desk.take(study_id)


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
        try:
            fail(desk, study, f"internal error: {type(error).__name__}: {error}")
        except LeaseLostError:
            desk.drop(study)


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
