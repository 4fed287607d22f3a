"""When training is refused or lost: who is charged, and what is tried again."""

from sqlalchemy import Connection

from service.coordinator.desk import Flight
from service.coordinator.group import MAX_LANES
from service.database import queries_work as work
from trials.protocol import CohortFinished, CohortLost, CohortRefused

OWN_CAUSES = frozenset({"abort", "memory", "hang", "deadline"})
"""Losses that a trial can bring about; `killed` comes from outside, `cancelled` from ourselves."""


def refuse(connection: Connection, flight: Flight, event: CohortRefused) -> None:
    """Fails the cohort's trials: what cannot be trained is not tried again."""
    trial_ids = set(work.running_in_cohort(connection, flight.cohort.cohort_id).values())
    work.end_replicates(connection, trial_ids, state="failed", reason=event.reason)
    work.close_trials(connection, trial_ids)


def lose(connection: Connection, flight: Flight, event: CohortLost | CohortFinished) -> None:
    """Puts what a cohort has not answered back into the queue, and finds out who is to blame.

    - A trial that was alone is charged with a fault of its own; the third fails it.
    - Where there were several, one of them may be the cause and the others must not pay for it: nobody is charged, and
      each is tried again by itself.
    - Memory that several lanes exhausted together is nobody's fault; `lanes_after` makes the next cohorts smaller.
    - A worker that was killed is charged to all as lost; the tenth fails them, since something kills with them.
    - Cancelled cohorts charge nobody.
    """
    cohort_id = flight.cohort.cohort_id
    trial_ids = set(work.running_in_cohort(connection, cohort_id).values())
    if not trial_ids:
        return
    work.requeue_cohort(connection, cohort_id)
    cause, reason = ("abort", "it ended without an answer") if isinstance(event, CohortFinished) else _why(event)
    if cause == "killed":
        work.charge(connection, trial_ids, column="lost_workers", reason=f"{cause}: {reason}")
    elif cause in OWN_CAUSES and not _was_crowded(flight, cause):
        sent = [reader.replicate_id for lane in flight.cohort.lanes for reader in lane.readers]
        if work.count_trials_of(connection, sent) == 1:
            work.charge(connection, trial_ids, column="own_faults", reason=f"{cause}: {reason}")
        else:
            work.suspect(connection, trial_ids)
    work.fail_hopeless(connection, trial_ids)
    work.close_trials(connection, trial_ids)


def lanes_after(max_lanes: int, flight: Flight, event: CohortLost | CohortFinished | CohortRefused) -> int:
    """The most lanes that a study's next cohorts may have.

    Halved where several lanes exhausted the memory together; set free again where a single lane did, as then that lane
    was the cause, and it is tried by itself from now on.
    """
    if not isinstance(event, CohortLost) or event.cause != "memory":
        return max_lanes
    n_lanes = len(flight.cohort.lanes)
    return min(max_lanes, (n_lanes + 1) // 2) if n_lanes > 1 else MAX_LANES


def _was_crowded(flight: Flight, cause: str) -> bool:
    return cause == "memory" and len(flight.cohort.lanes) > 1


def _why(event: CohortLost) -> tuple[str, str]:
    return event.cause, event.reason
