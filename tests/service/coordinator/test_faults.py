"""What training may do to a study, and what it may not."""

import threading

import pytest
from sqlalchemy import update

from service.coordinator.loop import Coordinator
from service.database.engine import Database
from service.database.tables import studies
from service.errors import DatabaseUnavailableError
from tests.formula_executor import FormulaExecutor, has_setting, loses, refuses
from tests.laboratory import Laboratory, one_round, rounds_until
from tests.specs import small_grid
from trials.protocol import Cohort, Event, Verdicts

TWO_FACTORS = {"l2": {"factor": {"grid": [0.001, 5.0]}}}


def test_a_trial_that_diverges_fails_with_the_reason_and_the_study_goes_on(lab: Laboratory) -> None:
    study = lab.finish(small_grid(regularizers=TWO_FACTORS))
    sound, diverged = lab.trials(study.id)
    assert study.state == "finished"
    assert (sound.state, diverged.state) == ("complete", "failed")
    assert diverged.reason == "training diverged at epoch 1"


def test_a_study_whose_trials_all_fail_has_failed_with_their_reason(lab: Laboratory) -> None:
    study = lab.finish(small_grid(regularizers={"l2": {"factor": {"grid": [2.0, 5.0]}}}))
    assert study.state == "failed"
    assert study.reason == "training diverged at epoch 1"


def test_a_refused_study_fails_at_once_and_is_not_tried_again(lab: Laboratory) -> None:
    executor = FormulaExecutor(fault=refuses("no file /data/cats.npz"))
    study = lab.finish(small_grid(), executor)
    assert study.state == "failed"
    assert study.reason == "no file /data/cats.npz"
    trained = [r.replicate_id for c in executor.submitted for lane in c.lanes for r in lane.readers]
    assert len(trained) == len(set(trained))


@pytest.mark.parametrize("cause", ["abort", "memory", "hang", "deadline"])
def test_a_trial_that_is_alone_when_lost_is_charged_and_fails_after_three_faults(lab: Laboratory, cause: str) -> None:
    executor = FormulaExecutor(fault=loses(cause, when=has_setting("dropout.rate", 0.2)))
    study = lab.finish(small_grid(budget={"replicates": 1}), executor)
    failed = [trial for trial in lab.trials(study.id) if trial.state == "failed"]
    assert [trial.parameters["dropout.rate"] for trial in failed] == [0.2]
    assert failed[0].reason == "\n".join([f"{cause}: signal 9"] * 3)
    assert len([c for c in executor.submitted if has_setting("dropout.rate", 0.2)(c)]) == 3


def test_a_cancelled_cohort_charges_nobody(lab: Laboratory) -> None:
    seen: list[str] = []

    def first_five(_cohort: Cohort) -> bool:
        seen.append("cancelled")
        return len(seen) <= 5

    study = lab.finish(small_grid(), FormulaExecutor(n_slots=1, fault=loses("cancelled", when=first_five)))
    assert [trial.reason for trial in lab.trials(study.id)] == [None] * 4
    assert {trial.state for trial in lab.trials(study.id)} == {"complete"}


def test_a_cohort_that_ends_without_answering_is_trained_again(lab: Laboratory) -> None:
    class Forgetful(FormulaExecutor):
        forgot = False

        def poll(self, timeout_seconds: float) -> list[Event]:
            if not self.forgot and self._trainings:
                self.forgot = True
                next(iter(self._trainings.values())).open.clear()
            return super().poll(timeout_seconds)

    study = lab.finish(small_grid(), Forgetful())
    assert {trial.state for trial in lab.trials(study.id)} == {"complete"}


def test_a_study_that_cannot_be_read_fails_and_the_others_finish(lab: Laboratory) -> None:
    broken, sound = lab.studies.create(small_grid()), lab.studies.create(small_grid())
    with lab.database.begin() as connection:
        connection.execute(update(studies).where(studies.c.id == broken.id).values(spec=broken.spec | {"seed": -1}))
    coordinator = lab.coordinator()
    rounds_until(coordinator, lambda: lab.studies_state(sound.id) == "finished")
    assert lab.studies_state(broken.id) == "failed"


def test_a_study_that_breaks_the_coordinator_fails_with_its_results_kept(lab: Laboratory) -> None:
    class Breaking(FormulaExecutor):
        def submit(self, cohort: Cohort) -> None:
            if cohort.study_id == broken.id and len(self.submitted) > 2:
                raise RuntimeError("no such device")
            super().submit(cohort)

    broken, sound = lab.studies.create(small_grid()), lab.studies.create(small_grid())
    coordinator = lab.coordinator(Breaking(n_slots=1))
    rounds_until(coordinator, lambda: lab.studies_state(sound.id) == "finished")
    failed = lab.studies.get(broken.id)
    assert (failed.state, failed.reason) == ("failed", "internal error: RuntimeError: no such device")
    assert set(failed.progress.replicates) == {"complete", "cancelled"}


def test_a_graceful_stop_returns_the_work_and_charges_nothing(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    stop = threading.Event()

    class Stopping(FormulaExecutor):
        def answer(self, verdicts: Verdicts) -> None:
            stop.set()
            super().answer(verdicts)

    lab.coordinator(Stopping()).run(stop)
    assert lab.count(study.id, "running") == 0
    assert [trial.reason for trial in lab.trials(study.id)] == [None] * 4
    successor = lab.coordinator()
    one_round(successor)
    assert lab.count(study.id, "running") > 0, "a released study is free at once, without waiting for its lease to end"


def test_an_outage_while_recording_loses_no_result(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    study = lab.studies.create(small_grid())
    outages = iter([False, False, False, True, True, False, True, False, False, False, True])
    reached = Database.begin

    def begin(database: Database) -> object:
        if next(outages, False):
            raise DatabaseUnavailableError("on purpose")
        return reached(database)

    monkeypatch.setattr(Database, "begin", begin)
    assert lab.coordinator().run_until_done(study.id).state == "finished"
    assert next(outages, None) is None
    assert {trial.state for trial in lab.trials(study.id)} == {"complete"}
    assert [t.user_attrs["trial"] for t in lab.twin(study).get_trials()] == [0, 1, 2, 3]


def test_a_commit_that_nobody_heard_of_leaves_nothing_running_for_ever(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    coordinator: Coordinator = lab.coordinator(FormulaExecutor(n_slots=1))
    one_round(coordinator)
    (cohort_id,) = coordinator.desk.flights
    coordinator.desk.executor.cancel(cohort_id)
    coordinator.desk.executor.poll(0)
    del coordinator.desk.flights[cohort_id]
    coordinator.desk.doubt()
    assert coordinator.run_until_done(study.id).state == "finished"
    assert {trial.reason for trial in lab.trials(study.id)} == {None}


def test_ten_vanished_coordinators_fail_a_trial_in_the_end(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    for _ in range(11):
        one_round(lab.coordinator(FormulaExecutor(n_slots=8)))
        lab.expire_leases()
    assert {trial.state for trial in lab.trials(study.id)} == {"failed"}
    assert {trial.reason for trial in lab.trials(study.id)} == {"\n".join(["its coordinator vanished"] * 10)}
