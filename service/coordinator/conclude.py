"""Concludes studies: those with nothing left to train, and what is left to do for cancelled and deleted ones."""

from service.coordinator.desk import Desk, OwnedStudy
from service.coordinator.lease import Lease
from service.coordinator.tell import tell_ended
from service.database import queries_studies as study_rows
from service.database import queries_work as work
from service.database.clock import NowSeconds

MAX_REASONS = 3


def conclude(desk: Desk, study: OwnedStudy) -> None:
    """Finishes a study whose plan is closed and whose trials have all ended; one that failed throughout has failed.

    Raises:
        LeaseLostError: The study is no longer ours.
    """
    with desk.database.read() as connection:
        row = desk.row(connection, study)
        n_trials, n_replicates = work.count_open(connection, study.id)
    if not row["planned"] or n_trials or n_replicates:
        return
    tell_ended(desk, study)
    with desk.write(study) as connection:
        if any(work.count_open(connection, study.id)):
            return
        states = study_rows.count_trials(connection, [study.id]).get(study.id, {})
        failed = set(states) == {"failed"}
        reason = "\n".join(work.failure_reasons(connection, study.id, MAX_REASONS)) if failed else row["reason"]
        state = "failed" if failed else "finished"
        study_rows.change_study(
            connection, study.id, fenced_off=True, settled=True, state=state, reason=reason, finished_at=NowSeconds()
        )
    desk.clear_checkpoints(study)
    desk.drop(study)


def settle(desk: Desk, study: OwnedStudy) -> None:
    """Brings Optuna's view of a cancelled or deleted study up to date; a deleted study's row goes last.

    Raises:
        LeaseLostError: The study is no longer ours.
    """
    with desk.database.read() as connection:
        deleted = desk.row(connection, study)["state"] == study_rows.DELETED
    if deleted:
        desk.bridge.delete(study.id, study.spec)
    else:
        tell_ended(desk, study)
    with desk.write(study) as connection:
        if deleted:
            study_rows.delete_study(connection, study.id)
        else:
            work.settle(connection, study.id)
    desk.clear_checkpoints(study)
    desk.drop(study)


def fail(desk: Desk, lease: Lease, reason: str) -> None:
    """Ends a study in which the service itself failed; results that are there stay.

    Raises:
        LeaseLostError: The study is no longer ours.
    """
    with desk.database.begin() as connection:
        desk.leases.guard(connection, lease)
        study_rows.cancel_open(connection, lease.study_id, states=work.OPEN, reason=reason)
        study_rows.change_study(
            connection,
            lease.study_id,
            fenced_off=True,
            settled=True,
            planned=True,
            state="failed",
            reason=reason,
            finished_at=NowSeconds(),
        )
