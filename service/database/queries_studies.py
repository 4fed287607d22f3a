"""Statements about studies: what the use cases read and change."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import RowMapping

from search_spaces.spec import StudySpec
from service.database.clock import NowSeconds
from service.database.queries_trials import chunks
from service.database.tables import curves, replicates, studies, study_tags, trials

StudyRow: TypeAlias = RowMapping
Counts: TypeAlias = dict[str, tuple[int, int]]
"""State of replicates to how many there are, and how many epochs they were trained."""

TrialCounts: TypeAlias = dict[str, tuple[int, int]]
"""State of trials to how many there are, and how many of them users added to the study's budget."""

BEST: Mapping[str, Callable[[ColumnElement[float]], ColumnElement[float]]] = {
    "validation_accuracy": func.max,
    "validation_balanced_accuracy": func.max,
    "validation_loss": func.min,
}
"""What may be an objective, and which of its values is the best."""

BRIEF = tuple(studies.c[name] for name in ("id", "key", "version", "fence", "writes", "next_number"))
"""A study's place in lists, and what changes with anything of it."""

DELETED = "deleted"
UNFINISHED = ("queued", "running", "paused")


def _select_best_means() -> Select[Any]:
    mean_of_trial = (
        select(replicates.c.study_id, *(func.avg(replicates.c[metric]).label(metric) for metric in BEST))
        .where(replicates.c.study_id.in_(STUDY_IDS), replicates.c.state == "complete")
        .group_by(replicates.c.study_id, replicates.c.trial_id)
        .subquery()
    )
    best = [choose(mean_of_trial.c[metric]) for metric, choose in BEST.items()]
    return select(mean_of_trial.c.study_id, *best).group_by(mean_of_trial.c.study_id)


# What almost every request asks is put together once, which takes longer than asking it.
STUDY_IDS: BindParameter[Sequence[str]] = bindparam("study_ids", expanding=True)
BRIEF_OF_STUDY = select(*BRIEF).where(studies.c.id == bindparam("study_id"), studies.c.state != DELETED)
WHOLE_STUDIES = select(studies).where(studies.c.id.in_(STUDY_IDS), studies.c.state != DELETED)
TRIALS_BY_STATE = (
    select(trials.c.study_id, trials.c.state, func.count(), func.count().filter(trials.c.origin == "enqueued"))
    .where(trials.c.study_id.in_(STUDY_IDS))
    .group_by(trials.c.study_id, trials.c.state)
)
REPLICATES_BY_STATE = (
    select(replicates.c.study_id, replicates.c.state, func.count(), func.sum(replicates.c.n_epochs))
    .where(replicates.c.study_id.in_(STUDY_IDS))
    .group_by(replicates.c.study_id, replicates.c.state)
)
BEST_MEANS = _select_best_means()


def insert_study(connection: Connection, study_id: str, spec: StudySpec) -> None:
    """Stores a new study, queued."""
    connection.execute(
        insert(studies).values(
            id=study_id,
            name=spec.name,
            state="queued",
            spec=stored_form(spec),
            version=1,
            fence=0,
            settled=False,
            next_number=0,
            planned=False,
            created_at=NowSeconds(),
        )
    )
    _insert_tags(connection, study_id, spec.tags)


def replace_tags(connection: Connection, study_id: str, tags: Iterable[str]) -> None:
    """Gives a study other tags."""
    connection.execute(delete(study_tags).where(study_tags.c.study_id == study_id))
    _insert_tags(connection, study_id, tags)


def _insert_tags(connection: Connection, study_id: str, tags: Iterable[str]) -> None:
    rows = [{"study_id": study_id, "tag": tag} for tag in dict.fromkeys(tags)]
    if rows:
        connection.execute(insert(study_tags), rows)


def stored_form(spec: StudySpec) -> dict[str, Any]:
    """The spec as JSON: defaults written out, but regularizers as asked, since what was asked makes the points."""
    asked = spec.regularizers.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return spec.model_dump(mode="json") | {"regularizers": asked}


def select_study(connection: Connection, study_id: str, *, lock: bool = False) -> StudyRow | None:
    """One study; None where there is none, or it is being deleted. `lock` keeps others from changing it."""
    statement = select(studies).where(studies.c.id == study_id, studies.c.state != DELETED)
    return connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()


def select_brief(connection: Connection, study_id: str) -> StudyRow | None:
    """What changes with anything of a study, without its spec; None as for `select_study`."""
    return connection.execute(BRIEF_OF_STUDY, {"study_id": study_id}).mappings().one_or_none()


def select_whole(connection: Connection, study_ids: Sequence[str]) -> list[StudyRow]:
    """Those of these studies that exist, in no order."""
    return list(connection.execute(WHOLE_STUDIES, {"study_ids": study_ids}).mappings())


def select_any_study(connection: Connection, study_id: str) -> StudyRow:
    """A study that exists, also one that is being deleted."""
    return connection.execute(select(studies).where(studies.c.id == study_id)).mappings().one()


def select_briefs(
    connection: Connection, *, state: str | None, tag: str | None, below: int | None, limit: int
) -> list[StudyRow]:
    """Studies without their specs, newest first, whose `key` lies below a given one."""
    statement = select(*BRIEF).where(studies.c.state != DELETED).order_by(studies.c.key.desc()).limit(limit)
    if state is not None:
        statement = statement.where(studies.c.state == state)
    if below is not None:
        statement = statement.where(studies.c.key < below)
    if tag is not None:
        tagged = and_(study_tags.c.study_id == studies.c.id, study_tags.c.tag == tag)
        statement = statement.where(exists().where(tagged))
    return list(connection.execute(statement).mappings())


def select_users_of_dataset(connection: Connection, name: str) -> list[str]:
    """Ids of the unfinished studies that need a dataset."""
    needs = studies.c.spec["dataset"]["name"].as_string() == name
    statement = select(studies.c.id).where(studies.c.state.in_(UNFINISHED), needs).order_by(studies.c.key)
    return list(connection.execute(statement).scalars())


def change_study(connection: Connection, study_id: str, *, fenced_off: bool = False, **values: Any) -> None:
    """Changes columns of a study and counts its version up.

    Args:
        connection: A write transaction.
        study_id: Which study.
        fenced_off: Whether the coordinator that owns it is to lose it, so that its later writes are refused.
        **values: Column name to new value.
    """
    if fenced_off:
        values |= {"fence": studies.c.fence + 1, "lease_holder": None, "lease_until": None}
    statement = update(studies).where(studies.c.id == study_id)
    connection.execute(statement.values(version=studies.c.version + 1, **values))


def count_trials(connection: Connection, study_ids: Sequence[str]) -> dict[str, TrialCounts]:
    """Study id to counts of its trials."""
    found: dict[str, TrialCounts] = {}
    for study_id, state, count, n_enqueued in connection.execute(TRIALS_BY_STATE, {"study_ids": study_ids}):
        found.setdefault(study_id, {})[state] = (count, n_enqueued)
    return found


def count_replicates(connection: Connection, study_ids: Sequence[str]) -> dict[str, Counts]:
    """Study id to counts of its replicates."""
    found: dict[str, Counts] = {}
    for study_id, state, count, n_epochs in connection.execute(REPLICATES_BY_STATE, {"study_ids": study_ids}):
        found.setdefault(study_id, {})[state] = (count, int(n_epochs or 0))
    return found


def best_means(connection: Connection, study_ids: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Study id to the best mean of a trial, by metric."""
    rows = connection.execute(BEST_MEANS, {"study_ids": study_ids})
    return {row[0]: dict(zip(BEST, row[1:], strict=True)) for row in rows}


def requeue_running(connection: Connection, study_id: str) -> list[int]:
    """Puts a study's replicates under way back into the queue; returns the trials they belong to."""
    under_way = and_(replicates.c.study_id == study_id, replicates.c.state == "running")
    trial_ids = list(connection.execute(select(replicates.c.trial_id).where(under_way).distinct()).scalars())
    ids = select(replicates.c.id).where(under_way)
    connection.execute(delete(curves).where(curves.c.replicate_id.in_(ids)))
    connection.execute(update(replicates).where(under_way).values(state="queued", cohort_id=None, n_epochs=0))
    return trial_ids


def queue_trials(connection: Connection, trial_ids: Iterable[int]) -> None:
    """Notes that trials have nothing under way any more."""
    for chunk in chunks(trial_ids):
        chosen = and_(trials.c.id.in_(chunk), trials.c.state == "running")
        connection.execute(update(trials).where(chosen).values(state="queued"))


def cancel_open(connection: Connection, study_id: str, *, states: tuple[str, ...], reason: str | None = None) -> None:
    """Cancels a study's replicates in some states, and the trials that have nothing else open."""
    chosen = and_(replicates.c.study_id == study_id, replicates.c.state.in_(states))
    connection.execute(update(replicates).where(chosen).values(state="cancelled", reason=reason))
    still_open = exists().where(replicates.c.trial_id == trials.c.id, replicates.c.state.in_(("queued", "running")))
    open_trials = and_(trials.c.study_id == study_id, trials.c.state.in_(("queued", "running")))
    connection.execute(update(trials).where(open_trials, ~still_open).values(state="cancelled", reason=reason))


def delete_contents(connection: Connection, study_id: str) -> None:
    """Deletes a study's trials with all they own; the study's row stays."""
    connection.execute(delete(trials).where(trials.c.study_id == study_id))


def delete_study(connection: Connection, study_id: str) -> None:
    """Deletes a study's row with all it owns."""
    connection.execute(delete(studies).where(studies.c.id == study_id))
