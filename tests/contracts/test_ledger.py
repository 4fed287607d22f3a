"""What every ledger keeps, on every kind of database: nothing lost, nothing doubled."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import update

from search_spaces.grids import grid_points, point_key
from search_spaces.spec import StudySpec
from service.coordinator.record import record_all
from service.database.engine import Database
from service.database.queries_studies import select_briefs
from service.database.tables import studies, trials
from service.errors import StudyNotFoundError
from service.views import StudyView
from tests.formula_executor import FormulaExecutor, has_setting, loses
from tests.laboratory import Laboratory, one_round, open_laboratory, rounds_until
from tests.specs import small_grid, small_search
from trials.protocol import Cohort

EIGHT_RATES = {"dropout": {"rate": {"grid": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]}}}


@pytest.fixture
def lab(any_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laboratory]:
    monkeypatch.setattr("service.coordinator.loop.POLL_SECONDS", 0.01)
    with open_laboratory(any_database, tmp_path) as laboratory:
        yield laboratory


def assert_whole_grid_is_complete(lab: Laboratory, study: StudyView, spec: StudySpec) -> None:
    found = lab.trials(study.id)
    assert Counter(point_key(trial.parameters) for trial in found) == Counter(map(point_key, grid_points(spec)))
    for trial in found:
        assert trial.state == "complete"
        assert [r.seed for r in trial.replicates] == list(range(spec.seed, spec.seed + spec.budget.replicates))
        assert all(r.state == "complete" and r.metrics.test_accuracy is not None for r in trial.replicates)


def test_a_grid_trains_each_point_exactly_once(lab: Laboratory) -> None:
    spec = small_grid(seed=7)
    study = lab.finish(spec)
    assert study.state == "finished"
    assert_whole_grid_is_complete(lab, study, spec)


@pytest.mark.parametrize("sampler", ["random", "qmc", "tpe"])
def test_a_search_takes_exactly_its_budget_and_no_point_twice(lab: Laboratory, sampler: str) -> None:
    study = lab.finish(small_search(sampler, 20))
    found = lab.trials(study.id)
    assert [trial.number for trial in found] == list(range(20))
    assert len({point_key(trial.parameters) for trial in found}) == 20
    assert [trial.origin for trial in found] == ["baseline"] + 19 * ["sampler"]
    assert {trial.state for trial in found} == {"complete"}


@pytest.mark.parametrize("spec", [small_grid(), small_search("tpe", 12, replicates=2)], ids=["grid", "tpe"])
def test_optuna_shows_what_the_ledger_holds(lab: Laboratory, spec: StudySpec) -> None:
    study = lab.finish(spec)
    shown = {t.user_attrs["trial"]: t for t in lab.twin(study).get_trials(states=(TrialState.COMPLETE,))}
    found = lab.trials(study.id)
    assert sorted(shown) == [trial.number for trial in found]
    for trial in found:
        assert shown[trial.number].params == trial.parameters
        assert shown[trial.number].value == pytest.approx(trial.metrics["validation_accuracy"]["mean"])
        assert shown[trial.number].user_attrs["test_accuracy_mean"] == trial.metrics["test_accuracy"]["mean"]
        assert shown[trial.number].user_attrs["n"] == spec.budget.replicates
    assert all(t.state.is_finished() for t in lab.twin(study).get_trials())


def test_a_coordinator_that_stalls_beyond_its_lease_cannot_write_any_more(lab: Laboratory) -> None:
    spec = small_grid()
    study = lab.studies.create(spec)
    stalled, successor = lab.coordinator(), lab.coordinator()
    one_round(stalled)
    assert lab.count(study.id, "running") > 0
    lab.expire_leases()
    one_round(successor)
    late = stalled.desk.studies[study.id]
    stalled.desk.events.extend(stalled.desk.executor.poll(0))
    before = lab.trials(study.id)
    record_all(stalled.desk)
    assert stalled.desk.n_refused_writes == 1
    assert late.id not in stalled.desk.studies
    assert lab.trials(study.id) == before
    successor.run_until_done(study.id)
    assert_whole_grid_is_complete(lab, study, spec)


def test_a_study_whose_coordinator_vanished_ends_with_the_same_trials(lab: Laboratory) -> None:
    spec = small_search("random", 10, replicates=2, seed=3)
    undisturbed = lab.finish(spec)
    study = lab.studies.create(spec)
    for _ in range(3):
        vanished = lab.coordinator()
        done_before = lab.count(study.id, "complete")
        rounds_until(vanished, lambda n=done_before: lab.count(study.id, "complete") > n)  # type: ignore[misc] # loop variable
        lab.expire_leases()
    lab.coordinator().run_until_done(study.id)
    expected = [(t.number, t.parameters, t.state, t.metrics) for t in lab.trials(undisturbed.id)]
    assert [(t.number, t.parameters, t.state, t.metrics) for t in lab.trials(study.id)] == expected
    twin = lab.twin(study)
    assert Counter(t.state for t in twin.get_trials())[TrialState.COMPLETE] == 10
    assert all(t.state.is_finished() for t in twin.get_trials())


def test_what_optuna_has_not_heard_is_told_and_telling_twice_changes_nothing(lab: Laboratory) -> None:
    study = lab.finish(small_grid())
    storage = lab.storage()
    for lost in (True, False):
        if lost:
            optuna.delete_study(study_name=f"{study.name} [{study.id}]", storage=storage)
        with lab.database.begin() as connection:
            connection.execute(update(trials).values(told=False, optuna_trial_id=None))
            connection.execute(update(studies).values(state="running", settled=False))
        assert lab.coordinator().run_until_done(study.id).state == "finished"
        assert [t.user_attrs["trial"] for t in lab.twin(study).get_trials()] == [0, 1, 2, 3]


def test_a_paused_study_rests_and_goes_on_where_it_was(lab: Laboratory) -> None:
    spec = small_grid()
    study = lab.studies.create(spec)
    coordinator = lab.coordinator(FormulaExecutor(n_slots=1))
    rounds_until(coordinator, lambda: lab.count(study.id, "complete") > 0)
    rounds_until(coordinator, lambda: lab.count(study.id, "running") > 0)
    assert lab.studies.pause(study.id).state == "paused"
    assert lab.count(study.id, "running") == 0
    n_complete = lab.count(study.id, "complete")
    for _ in range(10):
        one_round(coordinator)
    assert coordinator.desk.flights == {}
    assert lab.count(study.id, "complete") == n_complete
    lab.studies.resume(study.id)
    assert coordinator.run_until_done(study.id).state == "finished"
    assert_whole_grid_is_complete(lab, study, spec)


def test_a_cancelled_study_keeps_its_results_and_leaves_nothing_running(lab: Laboratory) -> None:
    study = lab.studies.create(small_search("tpe", 20))
    coordinator = lab.coordinator()
    rounds_until(coordinator, lambda: lab.count(study.id, "complete") > 0 and lab.count(study.id, "running") > 0)
    n_complete = lab.count(study.id, "complete")
    assert lab.studies.cancel(study.id).state == "cancelled"
    for _ in range(10):
        one_round(coordinator)
    assert coordinator.desk.flights == {}
    assert lab.count(study.id, "complete") == n_complete
    assert lab.count(study.id, "running") == lab.count(study.id, "queued") == 0
    assert all(t.state.is_finished() for t in lab.twin(study).get_trials())


def test_a_deleted_study_is_gone_from_the_ledger_and_from_optuna(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    coordinator = lab.coordinator()
    rounds_until(coordinator, lambda: lab.count(study.id, "complete") > 0)
    lab.studies.delete(study.id, lab.studies.get(study.id).version)
    with pytest.raises(StudyNotFoundError):
        lab.studies.get(study.id)
    for _ in range(10):
        one_round(coordinator)
    assert lab.count(study.id, "complete") == 0
    assert optuna.get_all_study_names(storage=lab.storage()) == []
    with lab.database.read() as connection:
        assert select_briefs(connection, state=None, tag=None, below=None, limit=10) == []


def test_a_poison_trial_fails_and_takes_no_other_with_it(lab: Laboratory) -> None:
    executor = FormulaExecutor(n_slots=1, fault=loses("abort", when=has_setting("dropout.rate", 0.4)))
    study = lab.finish(small_grid(regularizers=EIGHT_RATES), executor)
    assert len({lane.settings["dropout.rate"] for lane in executor.submitted[0].lanes}) == 2
    states = {trial.parameters["dropout.rate"]: trial.state for trial in lab.trials(study.id)}
    assert study.state == "finished"
    assert {rate for rate, state in states.items() if state != "complete"} == {0.4}
    assert states[0.4] == "failed"
    (poisoned,) = [trial for trial in lab.trials(study.id) if trial.state == "failed"]
    assert poisoned.reason is not None
    assert poisoned.reason.count("abort: signal 9") >= 3


def test_hopeless_trials_are_pruned(lab: Laboratory) -> None:
    spec = small_grid(
        regularizers={"dropout": {"rate": {"grid": [0.3, 0.31, 0.32, 0.33, 0.34, 0.35, 0.9, 0.95]}}},
        search={"sampler": "grid", "pruner": "median"},
        training={"epochs": 16},
    )
    study = lab.finish(spec, FormulaExecutor(n_slots=1))
    states = [trial.state for trial in lab.trials(study.id)]
    assert states == ["complete"] * 6 + ["pruned"] * 2
    pruned = lab.trials(study.id)[-1]
    assert {r.state for r in pruned.replicates} == {"pruned"}
    assert all(r.n_epochs < 16 for r in pruned.replicates)
    assert pruned.reason is not None
    assert "pruner" in pruned.reason
    shown = Counter(t.state for t in lab.twin(study).get_trials())
    assert shown == {TrialState.COMPLETE: 6, TrialState.PRUNED: 2}


def test_a_lost_worker_costs_no_trial(lab: Laboratory) -> None:
    lost: set[str] = set()

    def first_of_several(cohort: Cohort) -> bool:
        several = len({lane.settings["dropout.rate"] for lane in cohort.lanes}) > 1
        if several and len(lost) < 2:
            lost.add(cohort.cohort_id)
            return True
        return False

    spec = small_grid(regularizers=EIGHT_RATES)
    study = lab.finish(spec, FormulaExecutor(n_slots=1, fault=loses("abort", when=first_of_several)))
    assert len(lost) == 2
    assert_whole_grid_is_complete(lab, study, spec)
