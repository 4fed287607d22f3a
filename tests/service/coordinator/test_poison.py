"""Trials that abort, exhaust memory, hang or diverge in real training processes, beside healthy ones."""

import time
from pathlib import Path

import pytest
from sqlalchemy import select

from service.coordinator.loop import Coordinator
from service.database.tables import trials
from service.views import StudyView, TrialView
from tests.chaos.promises import Promises
from tests.laboratory import Laboratory, rounds_until
from tests.service.coordinator import poisoned_training
from tests.service.coordinator.poisoned_training import ABORTS, DIVERGES, EXHAUSTS, HANGS
from tests.specs import small_grid
from trials.executors import ExecutorSettings, make_executor
from trials.executors.processes import ProcessesExecutor
from trials.protocol import Cohort

REPOSITORY = Path(__file__).resolve().parents[3]
HEALTHY = [0.0, 0.1, 0.2, 0.3]


class Watched(ProcessesExecutor):
    """Remembers how many lanes each cohort had."""

    n_lanes: list[int]

    def submit(self, cohort: Cohort) -> None:
        self.n_lanes.append(len(cohort.lanes))
        super().submit(cohort)


def finish(
    lab: Laboratory, folder: Path, train: str, rates: list[float], *, n_processes: int = 1, replicates: int = 2
) -> tuple[StudyView, list[int]]:
    spec = small_grid(regularizers={"dropout": {"rate": {"grid": rates}}}, budget={"replicates": replicates})
    made = make_executor("processes", settings_of(folder, train, n_processes=n_processes))
    made.__class__ = Watched
    assert isinstance(made, Watched)
    made.n_lanes = []
    study = lab.studies.create(spec)
    with made:
        ended = Coordinator(lab.database, made, lab.settings).run_until_done(study.id)
    return ended, made.n_lanes


def settings_of(
    folder: Path, train: str, *, n_processes: int = 1, progress_deadline_seconds: float = 3.0
) -> ExecutorSettings:
    return ExecutorSettings(
        datasets_dir=folder,
        logs_dir=folder / "logs",
        n_processes=n_processes,
        progress_deadline_seconds=progress_deadline_seconds,
        train=f"{poisoned_training.__name__}:{train}",
    )


def charges(lab: Laboratory) -> dict[float, tuple[int, int]]:
    with lab.database.read() as connection:
        rows = connection.execute(select(trials.c.parameters, trials.c.own_faults, trials.c.lost_workers)).all()
    return {parameters["dropout.rate"]: (own, lost) for parameters, own, lost in rows}


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setattr("service.coordinator.group.COHORTS_PER_SLOT", 1)


def by_rate(lab: Laboratory, study: StudyView) -> dict[float, TrialView]:
    return {float(trial.parameters["dropout.rate"]): trial for trial in lab.trials(study.id)}


def test_each_poison_fails_its_own_trial_with_a_reason_and_charges_no_other(
    lab: Laboratory, tmp_path: Path, promises: Promises
) -> None:
    study, n_lanes = finish(
        lab,
        tmp_path,
        "train",
        [HEALTHY[0], ABORTS, HEALTHY[1], EXHAUSTS, HEALTHY[2], HANGS, HEALTHY[3], DIVERGES],
        n_processes=2,
        replicates=1,
    )
    found = by_rate(lab, study)
    assert study.state == "finished"
    assert n_lanes[:2] == [4, 4], "the poisoned trials shared no cohort with healthy ones"
    assert {rate: found[rate].state for rate in HEALTHY} == dict.fromkeys(HEALTHY, "complete")
    assert {rate: found[rate].reason for rate in HEALTHY} == dict.fromkeys(HEALTHY)
    for rate, words in ((ABORTS, "abort: "), (EXHAUSTS, "memory: MemoryError"), (HANGS, "hang: no progress")):
        assert found[rate].state == "failed"
        assert str(found[rate].reason).count(words) == 3
    assert found[DIVERGES].state == "failed"
    assert found[DIVERGES].reason == "training diverged at epoch 1"
    charged = charges(lab)
    assert {rate: charged[rate] for rate in (ABORTS, EXHAUSTS, HANGS)} == dict.fromkeys(
        (ABORTS, EXHAUSTS, HANGS), (3, 0)
    )
    assert {charged[rate] for rate in (*HEALTHY, DIVERGES)} == {(0, 0)}
    promises.reach("R15", "processes", "4 kinds of poison failed with reasons, all others complete", is_full=True)


def test_memory_that_many_lanes_exhaust_halves_their_number_and_charges_nobody(lab: Laboratory, tmp_path: Path) -> None:
    study, n_lanes = finish(lab, tmp_path, "train_in_little_memory", HEALTHY)
    assert n_lanes == [8, 4, 2, 2, 2, 2]
    assert {trial.state for trial in lab.trials(study.id)} == {"complete"}
    assert {trial.reason for trial in lab.trials(study.id)} == {None}
    assert set(charges(lab).values()) == {(0, 0)}


def test_a_cancelled_study_frees_the_process_that_a_hung_training_holds(
    lab: Laboratory, tmp_path: Path, promises: Promises
) -> None:
    with make_executor("processes", settings_of(tmp_path, "train", progress_deadline_seconds=600.0)) as executor:
        coordinator = Coordinator(lab.database, executor, lab.settings)
        study = lab.studies.create(small_grid(regularizers={"dropout": {"rate": HANGS}}))
        rounds_until(coordinator, lambda: lab.count(study.id, "running") > 0 and has_trained(lab, study.id))
        assert executor.free_slots() == 0
        lab.studies.cancel(study.id)
        began = time.monotonic()
        rounds_until(coordinator, lambda: executor.free_slots() == 1, at_most=10_000)
    seconds = time.monotonic() - began
    assert seconds < 10
    promises.reach("R16", "processes", f"a hung training ended {seconds:.1f} s after its study", is_full=True)
    assert lab.count(study.id, "running") == 0
    assert coordinator.desk.flights == {}


def has_trained(lab: Laboratory, study_id: str) -> bool:
    return any(replicate.n_epochs for trial in lab.trials(study_id) for replicate in trial.replicates)
