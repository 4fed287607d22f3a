"""What of a study can be changed after it was submitted, and what follows from it."""

from typing import Annotated, Any

from pydantic import Field, StrictInt, StringConstraints
from sqlalchemy import Connection

from search_spaces.spec import MAX_TRIALS, Budget, StudySpec
from search_spaces.values import Name, Value
from service.database import queries_studies as study_rows
from service.database import queries_trials as trial_rows
from service.database.queries_studies import StudyRow
from service.errors import InvalidStudySpecError
from service.settings import Settings
from service.specs import parse_spec
from service.study_checks import estimate_study
from service.study_states import expect_state
from service.study_views import trials_in_budget

MAX_NOTES = 20_000
MAX_PRIORITY = 100
REBUDGETED = ("queued", "running", "paused", "finished")
"""States in which a study can be given another budget."""


class BudgetChange(Value):
    """What of a budget can change; replicates cannot, since all trials are compared by the same seeds."""

    trials: Annotated[StrictInt, Field(ge=1, le=MAX_TRIALS)] | None = None
    max_seconds: Annotated[float, Field(gt=0, le=30 * 86_400)] | None = None


class StudyChanges(Value):
    """The parts of a study that a user wants changed; what is not given stays.

    Attributes:
        notes: Free text.
        priority: Studies of a higher priority are taken up first, and get free training processes first.
    """

    name: Name = ""
    tags: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    notes: Annotated[str, StringConstraints(max_length=MAX_NOTES, pattern=r"^[^\x00]*$")] = ""
    priority: Annotated[StrictInt, Field(ge=-MAX_PRIORITY, le=MAX_PRIORITY)] = 0
    budget: BudgetChange = BudgetChange()


def amend(connection: Connection, study: StudyRow, changes: StudyChanges, settings: Settings) -> None:
    """Changes a study, in a transaction that has locked it.

    Raises:
        InvalidStudySpecError: The study would be none that can be run, or smaller than what was started of it.
        StateConflictError: Another budget for a study that was cancelled or has failed.
    """
    given = changes.model_fields_set
    values: dict[str, Any] = {name: getattr(changes, name) for name in ("notes", "priority") if name in given}
    if given & {"name", "tags", "budget"}:
        before = StudySpec.model_validate(study["spec"])
        after = _merged(study, changes)
        values |= {"name": after.name, "spec": study_rows.stored_form(after)}
        if after.budget != before.budget:
            values |= _rebudget(connection, study, after, settings)
        if after.tags != before.tags:
            study_rows.replace_tags(connection, study["id"], after.tags)
        if after.name != before.name:
            _rename_twin(connection, study["id"], after)
    study_rows.change_study(connection, study["id"], **values)


def _merged(study: StudyRow, changes: StudyChanges) -> StudySpec:
    document = dict(study["spec"])
    asked = changes.model_dump(mode="json", exclude_unset=True, include={"name", "tags", "budget"})
    if "budget" in asked:
        asked["budget"] = Budget.model_validate(document["budget"]).model_dump(mode="json") | asked["budget"]
    return parse_spec(document | asked)


def _rebudget(connection: Connection, study: StudyRow, after: StudySpec, settings: Settings) -> dict[str, Any]:
    """Gives up planned trials beyond the budget that nothing was trained of, or opens the plan for more.

    Returns:
        The columns of the study that change by it: a finished study goes on if its budget has room.
    """
    expect_state(study, REBUDGETED, "given another budget")
    estimate_study(after, settings)
    wanted = trials_in_budget(after) or 0
    started = trial_rows.count_started(connection, study["id"])
    if wanted < started:
        expected = f"at least {started}, the trials that were started"
        raise InvalidStudySpecError([{"field": "budget.trials", "expected": expected, "received": str(wanted)}])
    if wanted <= trial_rows.count_budgeted(connection, study["id"]):
        trial_rows.remove_unstarted(connection, study["id"], keep=wanted)
        return {}
    reopened = {"state": "queued", "settled": False, "finished_at": None} if study["state"] == "finished" else {}
    return {"planned": False, "reason": None, **reopened}


def _rename_twin(connection: Connection, study_id: str, spec: StudySpec) -> None:
    from service.optuna_rows import rename_twin

    rename_twin(connection, study_id, spec.name)
