"""Budgets, enqueued points, time limits, and several studies at once."""

import pytest
from sqlalchemy import update

from search_spaces.grids import point_key
from service.coordinator.dispatch import in_turn
from service.database.tables import studies
from service.views import StudyView
from tests.formula_executor import FormulaExecutor
from tests.laboratory import Laboratory, one_round, rounds_until
from tests.specs import small_grid, small_search

SIX_POINTS = {"dropout": {"rate": {"grid": [0.0, 0.2, 0.4]}}, "l2": {"factor": {"choices": [0.0, 0.1]}}}


def test_a_grid_is_cut_at_its_budget(lab: Laboratory) -> None:
    study = lab.finish(small_grid(budget={"trials": 3, "replicates": 1}))
    assert [trial.parameters["dropout.rate"] for trial in lab.trials(study.id)] == [0.0, 0.2, 0.4]
    assert study.progress.trials_total == 3


@pytest.mark.parametrize("sampler", ["random", "qmc", "tpe"])
@pytest.mark.parametrize(("budget", "planned"), [(6, 6), (9, 6)])
def test_a_space_of_few_points_is_tried_in_full_and_no_point_twice(
    lab: Laboratory, sampler: str, budget: int, planned: int
) -> None:
    study = lab.finish(small_search(sampler, budget, regularizers=SIX_POINTS))
    trials = lab.trials(study.id)
    assert study.state == "finished"
    assert len({point_key(trial.parameters) for trial in trials}) == len(trials) == planned
    assert study.reason == (None if budget == planned else "no new point was found; 6 of 9 trials were planned")


def test_a_search_that_cannot_be_off_has_no_baseline(lab: Laboratory) -> None:
    study = lab.finish(small_search("random", 3, regularizers={"dropout": {"rate": {"low": 0.2, "high": 0.4}}}))
    assert {trial.origin for trial in lab.trials(study.id)} == {"sampler"}


def test_a_search_without_knobs_has_one_trial(lab: Laboratory) -> None:
    study = lab.finish(small_search("tpe", 3, regularizers={}))
    assert [trial.parameters for trial in lab.trials(study.id)] == [{}]


def test_enqueued_points_are_trained_beyond_the_budget_and_reopen_a_finished_study(lab: Laboratory) -> None:
    study = lab.finish(small_grid())
    added = lab.studies.enqueue(study.id, [{"dropout.rate": 0.9}, {"dropout.rate": 0.2}])
    assert [(trial.number, trial.origin) for trial in added] == [(4, "enqueued"), (1, "grid")]
    again = lab.coordinator().run_until_done(study.id)
    assert again.state == "finished"
    assert again.progress.trials == {"complete": 5}
    assert [t.user_attrs["trial"] for t in lab.twin(study).get_trials()] == [0, 1, 2, 3, 4]


def test_points_enqueued_before_a_search_do_not_eat_its_budget(lab: Laboratory) -> None:
    study = lab.studies.create(small_search("random", 4))
    lab.studies.enqueue(study.id, [{"dropout.rate": 0.95, "l2.enabled": False}])
    lab.coordinator().run_until_done(study.id)
    origins = [trial.origin for trial in lab.trials(study.id)]
    assert sorted(origins) == ["baseline", "enqueued", "sampler", "sampler", "sampler"]


def test_when_time_is_up_nothing_new_starts_and_results_stay(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid(budget={"replicates": 2, "max_seconds": 3600}))
    coordinator = lab.coordinator(FormulaExecutor(n_slots=1))
    rounds_until(coordinator, lambda: lab.count(study.id, "complete") > 0)
    n_open = lab.count(study.id, "running")
    with lab.database.begin() as connection:
        connection.execute(update(studies).values(started_at=1.0))
    ended = coordinator.run_until_done(study.id)
    assert ended.state == "finished"
    assert ended.reason == "the budget of 3600 seconds was used up"
    assert lab.count(study.id, "complete") >= 1 + n_open
    assert lab.count(study.id, "cancelled") > 0


def test_studies_take_turns(lab: Laboratory) -> None:
    first, second = lab.studies.create(small_grid()), lab.studies.create(small_grid())
    executor = FormulaExecutor(n_slots=2)
    coordinator = lab.coordinator(executor)
    one_round(coordinator)
    assert [cohort.study_id for cohort in executor.submitted[:2]] == [first.id, second.id]
    assert [study.id for study in in_turn(coordinator.desk)] == [first.id, second.id]


def test_two_coordinators_share_no_study(lab: Laboratory) -> None:
    lab.studies.create(small_grid())
    owner, other = lab.coordinator(), lab.coordinator()
    for coordinator in (owner, other, owner, other):
        one_round(coordinator)
    assert len(owner.desk.studies) == 1
    assert other.desk.studies == {}


def test_progress_is_told_until_the_end(lab: Laboratory) -> None:
    seen: list[StudyView] = []
    study = lab.studies.create(small_grid())
    ended = lab.coordinator().run_until_done(study.id, on_progress=seen.append)
    assert seen[-1] == ended
    assert ended.progress.epochs_done == ended.progress.epochs_total == 4 * 2 * 8
    assert ended.started_at is not None
    assert ended.finished_at is not None


def test_patience_is_answered_from_shared_lanes(lab: Laboratory) -> None:
    executor = FormulaExecutor()
    spec = small_grid(regularizers={"early_stopping": {"patience": {"choices": [1, 3]}}}, training={"epochs": 16})
    study = lab.finish(spec, executor)
    assert sum(len(cohort.lanes) for cohort in executor.submitted) == 2
    short, long = lab.trials(study.id)
    assert {trial.state for trial in (short, long)} == {"complete"}
    assert short.replicates[0].last_epoch < long.replicates[0].last_epoch  # type: ignore[operator] # both are complete
