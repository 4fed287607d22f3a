"""When training is refused or lost: who is charged, and what is tried again."""

from sqlalchemy import Connection

from service.coordinator.desk import Flight
from service.database import queries_work as work
from trials.protocol import CohortFinished, CohortLost, CohortRefused

OWN_CAUSES = frozenset({"abort", "memory", "hang", "deadline"})


def refuse(connection: Connection, flight: Flight, event: CohortRefused) -> None:
    """Fails the cohort's trials: what cannot be trained is not tried again."""
    trial_ids = set(work.running_in_cohort(connection, flight.cohort.cohort_id).values())
    work.end_replicates(connection, trial_ids, state="failed", reason=event.reason)
    work.close_trials(connection, trial_ids)


def lose(connection: Connection, flight: Flight, event: CohortLost | CohortFinished) -> None:
    """Puts what a cohort has not answered back into the queue.

    A loss is charged to the trial itself if it was alone in the cohort, else to the workers: one of many trials may
    have been the cause, and the others must not fail for it. Too many charges fail a trial. Cancelled cohorts charge
    nobody.
    """
    cohort_id = flight.cohort.cohort_id
    trial_ids = set(work.running_in_cohort(connection, cohort_id).values())
    if not trial_ids:
        return
    work.requeue_cohort(connection, cohort_id)
    cause, reason = ("abort", "it ended without an answer") if isinstance(event, CohortFinished) else _why(event)
    if cause in OWN_CAUSES:
        sent = [reader.replicate_id for lane in flight.cohort.lanes for reader in lane.readers]
        alone = work.count_trials_of(connection, sent) == 1
        column = "own_faults" if alone else "lost_workers"
        work.charge(connection, trial_ids, column=column, reason=f"{cause}: {reason}")
        work.fail_hopeless(connection, trial_ids)
    work.close_trials(connection, trial_ids)


def _why(event: CohortLost) -> tuple[str, str]:
    return event.cause, event.reason
