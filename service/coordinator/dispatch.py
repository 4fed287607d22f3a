"""Dispatch: queued replicates, grouped into cohorts, go where training happens."""

from service.coordinator.attention import guarded
from service.coordinator.desk import Desk, Flight, OwnedStudy
from service.coordinator.group import CohortSize, QueuedReplicate, group
from service.database import queries_work as work
from trials.protocol import Cohort

MAX_QUEUED_READ = 4096
"""Replicates that are grouped at a time."""


def send_out(desk: Desk) -> None:
    """Fills the free slots, the studies taking turns."""
    while any(_send_one(desk, study) for study in in_turn(desk)):
        pass


def _send_one(desk: Desk, study: OwnedStudy) -> bool:
    n_under_way = len(desk.flights)
    with guarded(desk, study):
        dispatch(desk, study)
    return len(desk.flights) > n_under_way


def dispatch(desk: Desk, study: OwnedStudy) -> None:
    """Sends one cohort of a study out, if a slot is free and something is queued.

    Replicates are marked as running before the cohort is sent: a crash in between leaves them to the lease.

    Raises:
        LeaseLostError: The study is no longer ours; nothing was sent.
    """
    if desk.executor.free_slots() < 1:
        return
    with desk.database.read() as connection:
        rows = work.select_queued(connection, study.id, MAX_QUEUED_READ)
    if not rows:
        return
    queued = [_queued(row) for row in rows]
    study.n_cohorts += 1
    prefix = f"{study.id}-{study.lease.fence}-{study.n_cohorts}"
    size = CohortSize(study.lanes_per_cohort, study.max_lanes)
    cohort = group(study.id, study.spec, queued, size=size, prefix=prefix)[0]
    cohort = cohort.model_copy(update={"checkpoints_dir": desk.checkpoints_of(study.id)})
    owed = _owed(cohort)
    with desk.write(study) as connection:
        taken = work.mark_running(connection, owed, cohort.cohort_id)
        if taken != len(owed):
            trial_ids = set(work.running_in_cohort(connection, cohort.cohort_id).values())
            work.requeue_cohort(connection, cohort.cohort_id)
            work.close_trials(connection, trial_ids)
            return
    desk.flights[cohort.cohort_id] = Flight(cohort, study.lease, owed)
    desk.executor.submit(cohort)


def _queued(row: work.QueuedRow) -> QueuedReplicate:
    """A first lost worker tells nothing of the trial, so only further ones count as losses."""
    losses = row["own_faults"] + row["suspicions"] + max(row["lost_workers"] - 1, 0)
    return QueuedReplicate(row["id"], row["number"], row["seed"], row["parameters"], losses)


def in_turn(desk: Desk) -> list[OwnedStudy]:
    """Studies in the order in which they may send a cohort: by priority, then the fewest under way, then the oldest."""
    under_way = dict.fromkeys(desk.studies, 0)
    for flight in desk.flights.values():
        if flight.cohort.study_id in under_way:
            under_way[flight.cohort.study_id] += 1
    return sorted(desk.studies.values(), key=lambda study: (-study.priority, under_way[study.id]))


def _owed(cohort: Cohort) -> set[int]:
    return {reader.replicate_id for lane in cohort.lanes for reader in lane.readers}
