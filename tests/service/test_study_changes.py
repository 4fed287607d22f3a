"""What a study becomes when its user changes it: on both databases, with training by a formula."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search_spaces.spec import StudySpec
from service.database.engine import Database
from service.errors import InvalidStudySpecError, StaleVersionError, StateConflictError
from service.study_changes import StudyChanges
from service.views import StudyView
from tests.formula_executor import FormulaExecutor
from tests.laboratory import Laboratory, one_round, open_laboratory, rounds_until
from tests.specs import small_grid, small_search


@pytest.fixture
def lab(any_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laboratory]:
    monkeypatch.setattr("service.coordinator.loop.POLL_SECONDS", 0.01)
    with open_laboratory(any_database, tmp_path) as laboratory:
        yield laboratory


def changed(lab: Laboratory, study: StudyView, **changes: Any) -> StudyView:
    version = lab.studies.get(study.id).version
    return lab.studies.change(study.id, version, StudyChanges.model_validate(changes))


def test_words_about_a_study_change_in_any_state_and_whatever_is_not_given_stays(lab: Laboratory) -> None:
    study = lab.finish(small_grid(tags=["a", "b"]))
    view = changed(lab, study, name="new", tags=["b", "c"], notes="why\nnot", priority=3)
    assert (view.name, view.tags, view.notes, view.priority) == ("new", ["b", "c"], "why\nnot", 3)
    assert (view.state, view.version) == ("finished", study.version + 1)
    again = changed(lab, study, notes="")
    assert (again.name, again.tags, again.notes, again.priority) == ("new", ["b", "c"], "", 3)
    assert [found.id for found in lab.studies.list_studies(tag="c").items] == [study.id]
    assert lab.studies.list_studies(tag="a").items == []
    assert len(lab.twin(view).trials) == 4


def test_a_change_by_someone_who_saw_an_older_version_changes_nothing(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    changed(lab, study, notes="first")
    with pytest.raises(StaleVersionError):
        lab.studies.change(study.id, study.version, StudyChanges(notes="second"))
    assert lab.studies.get(study.id).notes == "first"


def test_a_finished_study_whose_budget_grows_goes_on_to_the_new_budget(lab: Laboratory) -> None:
    study = lab.finish(small_search("tpe", 4))
    view = changed(lab, study, budget={"trials": 7})
    assert (view.state, view.progress.trials_total, view.finished_at) == ("queued", 7, None)
    assert lab.coordinator().run_until_done(study.id).progress.trials == {"complete": 7}
    assert len(lab.twin(study).trials) == 7


def test_a_capped_grid_goes_on_with_the_points_it_lacks(lab: Laboratory) -> None:
    study = lab.finish(small_grid(budget={"trials": 2, "replicates": 1}))
    changed(lab, study, budget={"trials": None})
    lab.coordinator().run_until_done(study.id)
    assert [trial.parameters["dropout.rate"] for trial in lab.trials(study.id)] == [0.0, 0.2, 0.4, 0.6]


@pytest.mark.parametrize(
    "spec", [small_grid(budget={"replicates": 1}), small_search("random", 4)], ids=["grid", "drawn"]
)
def test_a_running_study_ends_at_a_smaller_budget_and_keeps_what_was_started(lab: Laboratory, spec: StudySpec) -> None:
    study = lab.studies.create(spec)
    coordinator = lab.coordinator(FormulaExecutor(n_slots=1))
    one_round(coordinator)
    started = [trial for trial in lab.trials(study.id) if trial.state != "queued"]
    assert 0 < len(started) < 4
    view = changed(lab, study, budget={"trials": len(started)})
    assert view.progress.trials_total == len(started)
    assert coordinator.run_until_done(study.id).progress.trials == {"complete": len(started)}


def test_a_running_study_goes_on_to_a_larger_budget_without_losing_what_is_under_way(lab: Laboratory) -> None:
    study = lab.studies.create(small_search("tpe", 3, training={"epochs": 40}))
    executor = FormulaExecutor(n_slots=1)
    coordinator = lab.coordinator(executor)
    rounds_until(coordinator, lambda: lab.count(study.id, "running") > 0)
    under_way = set(coordinator.desk.flights)
    changed(lab, study, budget={"trials": 5}, name="another")
    one_round(coordinator)
    assert under_way <= set(coordinator.desk.flights)
    assert coordinator.run_until_done(study.id).progress.trials == {"complete": 5}


def test_a_budget_below_what_was_started_is_refused_by_field(lab: Laboratory) -> None:
    study = lab.finish(small_grid())
    with pytest.raises(InvalidStudySpecError) as error:
        changed(lab, study, budget={"trials": 3})
    assert error.value.errors == [
        {"field": "budget.trials", "expected": "at least 4, the trials that were started", "received": "3"}
    ]
    assert lab.studies.get(study.id).spec == study.spec


def test_a_search_needs_a_budget(lab: Laboratory) -> None:
    study = lab.studies.create(small_search("random", 4))
    with pytest.raises(InvalidStudySpecError) as error:
        changed(lab, study, budget={"trials": None})
    assert error.value.errors[0]["field"] == "budget.trials"


def test_a_cancelled_study_gets_no_other_budget(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    lab.studies.cancel(study.id)
    with pytest.raises(StateConflictError):
        changed(lab, study, budget={"trials": 2})


def test_a_paused_study_stays_paused_and_has_its_new_budget_when_it_goes_on(lab: Laboratory) -> None:
    study = lab.studies.create(small_search("random", 4))
    lab.studies.pause(study.id)
    assert changed(lab, study, budget={"trials": 6}).state == "paused"
    lab.studies.resume(study.id)
    assert lab.coordinator().run_until_done(study.id).progress.trials == {"complete": 6}


def test_studies_of_a_higher_priority_are_taken_up_first(lab: Laboratory) -> None:
    first, second = lab.studies.create(small_grid()), lab.studies.create(small_grid())
    changed(lab, second, priority=1)
    coordinator = lab.coordinator(FormulaExecutor(n_slots=1))
    one_round(coordinator)
    assert {flight.cohort.study_id for flight in coordinator.desk.flights.values()} == {second.id}
    changed(lab, first, priority=2)
    coordinator.run_until_done(second.id)
    assert lab.count(first.id, "queued") < 8
