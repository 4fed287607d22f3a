"""Statements about trials, their replicates and curves: planning them, and reading them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, func, insert, literal, select, update
from sqlalchemy.engine import RowMapping

from search_spaces.grids import point_key
from search_spaces.values import Point
from service.database.tables import curves, replicates, studies, trials

TrialRow: TypeAlias = RowMapping
ReplicateRow: TypeAlias = RowMapping | dict[str, Any]

T = TypeVar("T")

CHUNK = 500
"""Identifiers in one statement; SQLite and PostgreSQL both take many more."""

# What many requests ask is put together once, which takes longer than asking it.
TRIALS = select(trials).where(trials.c.study_id == bindparam("study_id"))
TRIAL = TRIALS.where(trials.c.number == bindparam("number"))
TRIALS_ABOVE = TRIALS.where(trials.c.number > bindparam("above")).order_by(trials.c.number).limit(bindparam("limit"))
REPLICATES = (
    select(replicates)
    .where(replicates.c.trial_id.in_(bindparam("trial_ids", expanding=True)))
    .order_by(replicates.c.seed)
)
WITH_CURVES = REPLICATES.add_columns(curves.c.packed).select_from(
    replicates.outerjoin(curves, curves.c.replicate_id == replicates.c.id)
)


@dataclass(frozen=True)
class PlannedPoint:
    """A point that is to become a trial."""

    point: Point
    origin: str


def plan_trials(
    connection: Connection, study_id: str, planned: Sequence[PlannedPoint], seeds: Sequence[int], *, budget: int | None
) -> list[PlannedPoint]:
    """Adds trials with their replicates; a point that the study has already is passed over.

    The caller holds the study's row (fence or lock), so numbers and budget are decided in this one transaction.

    Args:
        connection: A write transaction.
        study_id: Which study.
        planned: The points, in the order of their numbers.
        seeds: One replicate per seed, the same for each trial, so that trials can be compared in pairs.
        budget: Most trials that the study may plan by itself; points that users added do not count. None: no limit.

    Returns:
        The points that became trials.
    """
    keys = existing_keys(connection, study_id)
    room = None if budget is None else budget - count_budgeted(connection, study_id)
    first = connection.execute(select(studies.c.next_number).where(studies.c.id == study_id)).scalar_one()
    added: list[PlannedPoint] = []
    rows = []
    for candidate in planned:
        key = point_key(candidate.point)
        if key in keys or (room is not None and len(added) >= room):
            continue
        keys.add(key)
        rows.append(_trial_values(study_id, first + len(added), key, candidate))
        added.append(candidate)
    if rows:
        connection.execute(insert(trials), rows)
        _insert_replicates(connection, study_id, first, seeds)
        next_number = first + len(rows)
        connection.execute(update(studies).where(studies.c.id == study_id).values(next_number=next_number))
    return added


def _trial_values(study_id: str, number: int, key: str, candidate: PlannedPoint) -> dict[str, object]:
    return {
        "study_id": study_id,
        "number": number,
        "point_key": key,
        "parameters": candidate.point,
        "state": "queued",
        "origin": candidate.origin,
        "own_faults": 0,
        "lost_workers": 0,
        "suspicions": 0,
        "told": False,
    }


def _insert_replicates(connection: Connection, study_id: str, first: int, seeds: Sequence[int]) -> None:
    for seed in seeds:
        chosen = (
            select(trials.c.study_id, trials.c.id, literal(seed), literal("queued"), literal(0))
            .where(trials.c.study_id == study_id, trials.c.number >= first)
            .order_by(trials.c.number)
        )
        connection.execute(
            insert(replicates).from_select(["study_id", "trial_id", "seed", "state", "n_epochs"], chosen)
        )


def existing_keys(connection: Connection, study_id: str) -> set[str]:
    """Keys of all points the study has."""
    return set(connection.execute(select(trials.c.point_key).where(trials.c.study_id == study_id)).scalars())


def count_budgeted(connection: Connection, study_id: str) -> int:
    """Number of trials that count against the study's budget: all but those that users added."""
    statement = select(func.count()).where(_of_budget(study_id))
    return int(connection.execute(statement).scalar_one())


def count_started(connection: Connection, study_id: str) -> int:
    """Number of trials of the study's budget of which anything is under way or done."""
    statement = select(func.count()).where(_of_budget(study_id), ~_is_unstarted())
    return int(connection.execute(statement).scalar_one())


def remove_unstarted(connection: Connection, study_id: str, *, keep: int) -> None:
    """Removes planned trials that nothing was trained of, the last ones first, until so many count in the budget."""
    surplus = max(count_budgeted(connection, study_id) - keep, 0)
    unstarted = select(trials.c.id).where(_of_budget(study_id), _is_unstarted())
    last = list(connection.execute(unstarted.order_by(trials.c.number.desc()).limit(surplus)).scalars())
    for chunk in chunks(last):
        connection.execute(delete(trials).where(trials.c.id.in_(chunk)))


def _of_budget(study_id: str) -> ColumnElement[bool]:
    return and_(trials.c.study_id == study_id, trials.c.origin != "enqueued")


def _is_unstarted() -> ColumnElement[bool]:
    begun = exists().where(replicates.c.trial_id == trials.c.id, replicates.c.state != "queued")
    return and_(trials.c.state == "queued", ~begun)


def select_trials(connection: Connection, study_id: str, *, above: int, limit: int) -> list[TrialRow]:
    """Trials in the order of their numbers, from the first number above a given one."""
    asked = {"study_id": study_id, "above": above, "limit": limit}
    return list(connection.execute(TRIALS_ABOVE, asked).mappings())


def select_trial(connection: Connection, study_id: str, number: int) -> TrialRow | None:
    """One trial, or None."""
    return connection.execute(TRIAL, {"study_id": study_id, "number": number}).mappings().one_or_none()


def select_replicates(
    connection: Connection, trial_ids: Iterable[int], *, with_curves: bool = False
) -> dict[int, list[ReplicateRow]]:
    """Trial id to its replicates in the order of their seeds; `with_curves` each has its curve as `packed`, or None."""
    found: dict[int, list[ReplicateRow]] = {}
    for chunk in chunks(trial_ids):
        result = connection.execute(WITH_CURVES if with_curves else REPLICATES, {"trial_ids": chunk})
        names = tuple(result.keys())
        for row in result:
            replicate = dict(zip(names, row, strict=True))  # a dict, as each of its figures is read more than once
            found.setdefault(replicate["trial_id"], []).append(replicate)
    return found


def select_curves(connection: Connection, replicate_ids: Iterable[int]) -> dict[int, bytes]:
    """Replicate id to its packed curve, where it has one."""
    found: dict[int, bytes] = {}
    for chunk in chunks(replicate_ids):
        statement = select(curves.c.replicate_id, curves.c.packed).where(curves.c.replicate_id.in_(chunk))
        found |= {row[0]: row[1] for row in connection.execute(statement)}
    return found


def select_by_keys(connection: Connection, study_id: str, keys: Sequence[str]) -> dict[str, TrialRow]:
    """Point key to its trial, for the points that the study has."""
    found: dict[str, TrialRow] = {}
    for chunk in chunks(keys):
        statement = select(trials).where(trials.c.study_id == study_id, trials.c.point_key.in_(chunk))
        found |= {row["point_key"]: row for row in connection.execute(statement).mappings()}
    return found


def select_complete(connection: Connection, study_id: str) -> list[ReplicateRow]:
    """The complete replicates of a study, with the number, state and parameters of their trials."""
    statement = (
        select(replicates, trials.c.number, trials.c.state.label("trial_state"), trials.c.parameters)
        .join(trials, trials.c.id == replicates.c.trial_id)
        .where(replicates.c.study_id == study_id, replicates.c.state == "complete")
        .order_by(trials.c.number, replicates.c.seed)
    )
    return list(connection.execute(statement).mappings())


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Values in parts that fit one statement."""
    listed = list(values)
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]
