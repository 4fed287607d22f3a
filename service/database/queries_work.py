"""Statements of the coordinator: handing out replicates, recording what training says, and closing trials."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.engine import RowMapping

from search_spaces.values import Point
from service.database.queries_trials import chunks
from service.database.tables import curves, replicates, studies, trials
from trials.protocol import ReplicateResult

QueuedRow: TypeAlias = RowMapping
OPEN = ("queued", "running")
MAX_OWN_FAULTS = 3
MAX_LOST_WORKERS = 10


def select_queued(connection: Connection, study_id: str, limit: int) -> list[QueuedRow]:
    """Replicates that wait, by trial number and seed, with their trial's parameters and counters."""
    statement = (
        select(
            replicates.c.id,
            replicates.c.seed,
            trials.c.number,
            trials.c.parameters,
            trials.c.own_faults,
            trials.c.lost_workers,
            trials.c.suspicions,
        )
        .join(trials, trials.c.id == replicates.c.trial_id)
        .where(replicates.c.study_id == study_id, replicates.c.state == "queued")
        .order_by(trials.c.number, replicates.c.seed)
        .limit(limit)
    )
    return list(connection.execute(statement).mappings())


def count_open(connection: Connection, study_id: str) -> tuple[int, int]:
    """Number of open trials and of open replicates of a study."""
    of_trials = select(func.count()).where(trials.c.study_id == study_id, trials.c.state.in_(OPEN))
    of_replicates = select(func.count()).where(replicates.c.study_id == study_id, replicates.c.state.in_(OPEN))
    return connection.execute(of_trials).scalar_one(), connection.execute(of_replicates).scalar_one()


def count_queued(connection: Connection, study_id: str) -> int:
    """Number of replicates that wait."""
    statement = select(func.count()).where(replicates.c.study_id == study_id, replicates.c.state == "queued")
    return connection.execute(statement).scalar_one()


def count_trials_of(connection: Connection, replicate_ids: Iterable[int]) -> int:
    """Number of trials that some replicates belong to."""
    found: set[int] = set()
    for chunk in chunks(replicate_ids):
        statement = select(replicates.c.trial_id).where(replicates.c.id.in_(chunk)).distinct()
        found.update(connection.execute(statement).scalars())
    return len(found)


def select_open(connection: Connection, trial_ids: Iterable[int]) -> list[RowMapping]:
    """Those of some trials that have not ended."""
    found: list[RowMapping] = []
    for chunk in chunks(trial_ids):
        statement = select(trials).where(trials.c.id.in_(chunk), trials.c.state.in_(OPEN)).order_by(trials.c.number)
        found.extend(connection.execute(statement).mappings())
    return found


def mark_running(connection: Connection, replicate_ids: Iterable[int], cohort_id: str) -> int:
    """Hands queued replicates to a cohort; returns how many were still queued."""
    taken = 0
    for chunk in chunks(replicate_ids):
        waiting = and_(replicates.c.id.in_(chunk), replicates.c.state == "queued")
        statement = update(replicates).where(waiting).values(state="running", cohort_id=cohort_id, n_epochs=0)
        taken += connection.execute(statement).rowcount
    of_cohort = select(replicates.c.trial_id).where(replicates.c.cohort_id == cohort_id)
    connection.execute(update(trials).where(trials.c.id.in_(of_cohort)).values(state="running"))
    return taken


def running_in_cohort(connection: Connection, cohort_id: str) -> dict[int, int]:
    """Replicates that a cohort still has to answer for: their ids to the ids of their trials."""
    statement = select(replicates.c.id, replicates.c.trial_id).where(
        replicates.c.cohort_id == cohort_id, replicates.c.state == "running"
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def save_epochs(connection: Connection, packed: Mapping[int, tuple[int, bytes]]) -> None:
    """Stores the epochs trained so far and the curve, by replicate id."""
    if not packed:
        return
    statement = update(replicates).where(replicates.c.id == bindparam("of")).values(n_epochs=bindparam("epochs"))
    connection.execute(statement, [{"of": key, "epochs": n_epochs} for key, (n_epochs, _) in packed.items()])
    kind = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
    upsert = kind(curves)
    upsert = upsert.on_conflict_do_update(index_elements=["replicate_id"], set_={"packed": upsert.excluded.packed})
    connection.execute(upsert, [{"replicate_id": key, "packed": curve} for key, (_, curve) in packed.items()])


def save_results(connection: Connection, results: Iterable[ReplicateResult], trained_by: str = "") -> None:
    """Ends running replicates; an answer for one that is not running is passed over, so repeats are harmless."""
    rows = [
        {
            "of": result.replicate_id,
            "state": result.state,
            "selected_epoch": result.selected_epoch,
            "last_epoch": result.last_epoch,
            "reason": result.reason,
            "trained_by": trained_by or None,
            **result.metrics.model_dump(),
        }
        for result in results
    ]
    if rows:
        running = and_(replicates.c.id == bindparam("of"), replicates.c.state == "running")
        names = [name for name in rows[0] if name != "of"]
        connection.execute(update(replicates).where(running).values({name: bindparam(name) for name in names}), rows)


def end_replicates(
    connection: Connection, trial_ids: Iterable[int], *, state: str, reason: str | None, states: tuple[str, ...] = OPEN
) -> None:
    """Ends what is open of some trials."""
    for chunk in chunks(trial_ids):
        chosen = and_(replicates.c.trial_id.in_(chunk), replicates.c.state.in_(states))
        connection.execute(update(replicates).where(chosen).values(state=state, reason=reason))


def requeue_cohort(connection: Connection, cohort_id: str) -> None:
    """Puts what a cohort has not answered back into the queue."""
    lost = and_(replicates.c.cohort_id == cohort_id, replicates.c.state == "running")
    ids = select(replicates.c.id).where(lost)
    connection.execute(delete(curves).where(curves.c.replicate_id.in_(ids)))
    connection.execute(update(replicates).where(lost).values(state="queued", cohort_id=None, n_epochs=0))


def requeue_strays(connection: Connection, study_id: str, cohort_ids: Iterable[str]) -> None:
    """Puts running replicates of unknown cohorts back into the queue: an unnoticed commit gave them out."""
    of_study = and_(replicates.c.study_id == study_id, replicates.c.state == "running")
    found = connection.execute(select(replicates.c.cohort_id).where(of_study).distinct()).scalars()
    for cohort_id in set(found) - set(cohort_ids):
        if cohort_id is not None:
            trial_ids = set(running_in_cohort(connection, cohort_id).values())
            requeue_cohort(connection, cohort_id)
            close_trials(connection, trial_ids)


def charge(connection: Connection, trial_ids: Iterable[int], *, column: str, reason: str) -> None:
    """Counts a loss on trials (`own_faults` or `lost_workers`) and adds its reason."""
    added = case((trials.c.reason.is_(None), reason), else_=trials.c.reason + "\n" + reason)
    for chunk in chunks(trial_ids):
        values = {column: trials.c[column] + 1, "reason": added}
        connection.execute(update(trials).where(trials.c.id.in_(chunk)).values(values))


def suspect(connection: Connection, trial_ids: Iterable[int]) -> None:
    """Notes that one of some trials broke their cohort; nobody is charged."""
    for chunk in chunks(trial_ids):
        connection.execute(update(trials).where(trials.c.id.in_(chunk)).values(suspicions=trials.c.suspicions + 1))


def fail_hopeless(connection: Connection, trial_ids: Iterable[int]) -> None:
    """Fails what is open of those trials that were lost too often, with all reasons."""
    for chunk in chunks(trial_ids):
        hopeless = or_(trials.c.own_faults >= MAX_OWN_FAULTS, trials.c.lost_workers >= MAX_LOST_WORKERS)
        statement = select(trials.c.id, trials.c.reason).where(trials.c.id.in_(chunk), hopeless)
        for trial_id, reasons in connection.execute(statement).all():
            end_replicates(connection, [trial_id], state="failed", reason=reasons)


def close_trials(connection: Connection, trial_ids: Iterable[int]) -> None:
    """Ends the trials that have nothing open any more: failed, pruned or cancelled if some replicate is, else complete.

    A trial with replicates under way is running; one that only has replicates in the queue is queued.
    """

    def some(state: str) -> ColumnElement[bool]:
        return exists().where(replicates.c.trial_id == trials.c.id, replicates.c.state == state)

    order = ("running", "queued", "failed", "pruned", "cancelled")
    state = case(*((some(name), name) for name in order), else_="complete")
    why = (
        select(replicates.c.reason)
        .where(replicates.c.trial_id == trials.c.id, replicates.c.state == "failed")
        .order_by(replicates.c.seed)
        .limit(1)
        .scalar_subquery()
    )
    for chunk in chunks(trial_ids):
        chosen = and_(trials.c.id.in_(chunk), trials.c.state.in_(OPEN))
        connection.execute(update(trials).where(chosen).values(state=state, reason=func.coalesce(why, trials.c.reason)))


def select_untold(connection: Connection, study_id: str) -> list[RowMapping]:
    """Trials that have ended and that Optuna does not know to have ended."""
    chosen = and_(trials.c.study_id == study_id, trials.c.told.is_(False), trials.c.state.not_in(OPEN))
    return list(connection.execute(select(trials).where(chosen).order_by(trials.c.number)).mappings())


def mark_told(connection: Connection, optuna_ids: Mapping[int, int | None]) -> None:
    """Notes that Optuna knows the end of trials: trial id to its id in Optuna."""
    rows = [{"of": key, "optuna": optuna_id} for key, optuna_id in optuna_ids.items()]
    if rows:
        values = {"told": True, "optuna_trial_id": bindparam("optuna")}
        connection.execute(update(trials).where(trials.c.id == bindparam("of")).values(values), rows)


def open_points(connection: Connection, study_id: str) -> list[Point]:
    """The points of a study's trials that have not ended, by their numbers."""
    statement = (
        select(trials.c.parameters)
        .where(trials.c.study_id == study_id, trials.c.state.in_(OPEN))
        .order_by(trials.c.number)
    )
    return list(connection.execute(statement).scalars())


def explain(connection: Connection, trial_id: int, reason: str) -> None:
    """Notes why a trial ended as it did."""
    connection.execute(update(trials).where(trials.c.id == trial_id).values(reason=reason))


def failure_reasons(connection: Connection, study_id: str, limit: int) -> list[str]:
    """The different reasons why trials of a study failed, the most frequent first."""
    statement = (
        select(trials.c.reason)
        .where(trials.c.study_id == study_id, trials.c.state == "failed", trials.c.reason.is_not(None))
        .group_by(trials.c.reason)
        .order_by(func.count().desc(), trials.c.reason)
        .limit(limit)
    )
    return [reason for reason in connection.execute(statement).scalars() if reason is not None]


def settle(connection: Connection, study_id: str) -> None:
    """Notes that nothing is left to do for a study, and gives it free."""
    values = {"settled": True, "fence": studies.c.fence + 1, "lease_holder": None, "lease_until": None}
    connection.execute(update(studies).where(studies.c.id == study_id).values(values))
