"""Writes ended trials into Optuna's tables, many at a time and in a transaction of ours.

Optuna's own way takes a dozen statements per trial, in a transaction of its own that could succeed while ours fails.
The tables are those of the Optuna versions that pyproject.toml allows; tests read back what is written here through
Optuna's storage, and Optuna's storage refuses tables of any other version when it is opened.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial
from sqlalchemy import Connection, Table, func, insert, inspect, select, update


def add_trials(connection: Connection, study_id: int, ended: Sequence[FrozenTrial]) -> list[int]:
    """Adds trials that have ended to a study; the caller's lock keeps others from adding to it meanwhile.

    Args:
        connection: A write transaction.
        study_id: The study's id in Optuna.
        ended: What to add; numbers and ids in it do not matter.

    Returns:
        Their ids in Optuna.
    """
    if not ended:
        return []
    trials = _table(models.TrialModel)
    counted = select(func.count()).select_from(trials).where(trials.c.study_id == study_id)
    first = connection.execute(counted).scalar_one()
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [
        {
            "number": first + place,
            "study_id": study_id,
            "state": trial.state,
            "datetime_start": _naive_utc(trial.datetime_start) or now,
            "datetime_complete": _naive_utc(trial.datetime_complete) or now,
        }
        for place, trial in enumerate(ended)
    ]
    statement = insert(trials).returning(trials.c.trial_id, sort_by_parameter_order=True)
    ids = list(connection.execute(statement, rows).scalars())
    for model, rows_of in _PARTS:
        parts = [{"trial_id": key} | row for key, trial in zip(ids, ended, strict=True) for row in rows_of(trial)]
        if parts:
            connection.execute(insert(_table(model)), parts)
    return ids


def twin_name_in(connection: Connection, study_id: str) -> str | None:
    """The name of our study's twin, which ends with our study's id; None if there is no twin yet."""
    studies = _table(models.StudyModel)
    if not inspect(connection).has_table(studies.name):
        return None
    ends = studies.c.study_name.endswith(f" [{study_id}]", autoescape=True)
    return connection.execute(select(studies.c.study_name).where(ends)).scalar_one_or_none()


def rename_twin(connection: Connection, study_id: str, name: str) -> None:
    """Gives our study's twin another name, if there is a twin."""
    studies, known = _table(models.StudyModel), twin_name_in(connection, study_id)
    values = {"study_name": f"{name} [{study_id}]"}
    connection.execute(update(studies).where(studies.c.study_name == known).values(values))


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


def _naive_utc(moment: datetime | None) -> datetime | None:
    """Optuna speaks local time without a zone, and stores UTC without one."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def _parameters(trial: FrozenTrial) -> list[dict[str, Any]]:
    return [
        {
            "param_name": name,
            "param_value": trial.distributions[name].to_internal_repr(value),
            "distribution_json": distribution_to_json(trial.distributions[name]),
        }
        for name, value in trial.params.items()
    ]


def _values(trial: FrozenTrial) -> list[dict[str, Any]]:
    rows = []
    for objective, value in enumerate(trial.values or []):
        stored, kind = models.TrialValueModel.value_to_stored_repr(value)
        rows.append({"objective": objective, "value": stored, "value_type": kind})
    return rows


def _intermediate_values(trial: FrozenTrial) -> list[dict[str, Any]]:
    rows = []
    for step, value in trial.intermediate_values.items():
        stored, kind = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr(value)
        rows.append({"step": step, "intermediate_value": stored, "intermediate_value_type": kind})
    return rows


def _user_attributes(trial: FrozenTrial) -> list[dict[str, Any]]:
    return [{"key": key, "value_json": json.dumps(value)} for key, value in trial.user_attrs.items()]


def _system_attributes(trial: FrozenTrial) -> list[dict[str, Any]]:
    return [{"key": key, "value_json": json.dumps(value)} for key, value in trial.system_attrs.items()]


_PARTS = (
    (models.TrialParamModel, _parameters),
    (models.TrialValueModel, _values),
    (models.TrialIntermediateValueModel, _intermediate_values),
    (models.TrialUserAttributeModel, _user_attributes),
    (models.TrialSystemAttributeModel, _system_attributes),
)
