from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_spaces.spec import StudySpec
from service.database.engine import Database
from service.errors import (
    InvalidStudySpecError,
    StaleVersionError,
    StateConflictError,
    StudyNotFoundError,
    TrialNotFoundError,
)
from tests.laboratory import Laboratory, open_laboratory
from tests.specs import small_grid, small_search
from trials.curves import CURVE_METRICS
from trials.protocol import Metrics


@pytest.fixture
def lab(any_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laboratory]:
    monkeypatch.setattr("service.coordinator.loop.POLL_SECONDS", 0.01)
    (tmp_path / "datasets").mkdir()
    with open_laboratory(any_database, tmp_path) as laboratory:
        yield laboratory


def refusal(error: pytest.ExceptionInfo[InvalidStudySpecError]) -> dict[str, str]:
    (fault,) = error.value.errors
    return fault


def test_a_spec_comes_back_as_it_was_asked(lab: Laboratory) -> None:
    for spec in (small_grid(tags=["a", "b"]), small_search("tpe", 4)):
        view = lab.studies.create(spec)
        assert StudySpec.model_validate(view.spec) == spec
        stored = StudySpec.model_validate(lab.studies.get(view.id).spec)
        for name, asked in spec.regularizers.items():
            assert dict(stored.regularizers.items())[name].model_fields_set == asked.model_fields_set


def test_a_new_study_is_queued_and_knows_its_size(lab: Laboratory) -> None:
    view = lab.studies.create(small_grid(tags=["a"]))
    assert (view.state, view.version, view.tags, view.protocol) == ("queued", 1, ["a"], "held_out")
    assert view.progress.trials_total == 4
    assert view.progress.epochs_total == 4 * 2 * 8
    assert view.created_at.tzinfo is not None


def test_studies_are_listed_newest_first_page_by_page(lab: Laboratory) -> None:
    ids = [lab.studies.create(small_grid()).id for _ in range(5)]
    listed, cursor = [], None
    while True:
        page = lab.studies.list_studies(cursor=cursor, limit=2)
        listed += [study.id for study in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert listed == ids[::-1]


def test_lists_are_filtered_by_state_and_by_whole_tags(lab: Laboratory) -> None:
    tagged = lab.studies.create(small_grid(tags=["a_b", "c"]))
    lab.studies.create(small_grid(tags=["axb"]))
    lab.studies.cancel(tagged.id)
    assert [study.id for study in lab.studies.list_studies(tag="a_b").items] == [tagged.id]
    assert [study.id for study in lab.studies.list_studies(state="cancelled").items] == [tagged.id]
    assert lab.studies.list_studies(tag="a").items == []


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1e5", "9" * 30])
def test_a_strange_cursor_is_refused(lab: Laboratory, cursor: str) -> None:
    with pytest.raises(InvalidStudySpecError) as error:
        lab.studies.list_studies(cursor=cursor)
    assert refusal(error)["field"] == "cursor"


def test_unknown_studies_and_trials_are_not_found(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    for ask in (lab.studies.get, lab.studies.pause, lab.studies.cancel, lab.studies.trials, lab.studies.record):
        with pytest.raises(StudyNotFoundError):
            ask("nothing")
    with pytest.raises(TrialNotFoundError):
        lab.studies.trial(study.id, 0)


def test_steering_is_refused_once_a_study_has_ended_and_repeats_are_harmless(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    assert lab.studies.pause(study.id) == lab.studies.pause(study.id)
    assert lab.studies.resume(study.id) == lab.studies.resume(study.id)
    assert lab.studies.cancel(study.id) == lab.studies.cancel(study.id)
    for steer in (lab.studies.pause, lab.studies.resume):
        with pytest.raises(StateConflictError):
            steer(study.id)


def test_deleting_needs_the_current_version(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    current = lab.studies.pause(study.id)
    assert current.version > study.version
    with pytest.raises(StaleVersionError):
        lab.studies.delete(study.id, study.version)
    lab.studies.delete(study.id, current.version)
    with pytest.raises(StudyNotFoundError):
        lab.studies.get(study.id)
    assert lab.studies.list_studies().items == []


def test_trials_are_listed_page_by_page_with_means_and_curves(lab: Laboratory) -> None:
    study = lab.finish(small_grid())
    first = lab.studies.trials(study.id, limit=3)
    rest = lab.studies.trials(study.id, cursor=first.next_cursor, limit=3, curves=True)
    assert [trial.number for trial in first.items + rest.items] == [0, 1, 2, 3]
    assert rest.next_cursor is None
    trial = rest.items[0]
    values = [r.metrics.test_accuracy for r in trial.replicates]
    assert trial.metrics["test_accuracy"]["mean"] == pytest.approx(np.mean(np.array(values, dtype=float)))
    expected = np.std(np.array(values, dtype=float), ddof=1) / np.sqrt(2)
    assert trial.metrics["test_accuracy"]["standard_error"] == pytest.approx(expected)
    assert trial.metrics["test_accuracy"]["n"] == 2
    for replicate in trial.replicates:
        assert replicate.curve is not None
        assert replicate.curve.n_epochs == replicate.n_epochs == 8
        assert len(replicate.curve.metrics["validation_accuracy"]) == 8
    assert all(r.curve is None for t in first.items for r in t.replicates)


def test_each_replicate_says_how_it_was_trained_once_it_is(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    assert all(r.trained_by is None for trial in lab.trials(study.id) for r in trial.replicates)
    finished = lab.finish(small_grid(name="another"))
    assert {r.trained_by for trial in lab.trials(finished.id) for r in trial.replicates} == {"by a formula"}


def test_the_record_holds_complete_replicates_with_their_curves(lab: Laboratory) -> None:
    study = lab.finish(small_grid(regularizers={"l2": {"factor": {"grid": [0.001, 5.0]}}}))
    record = lab.studies.record(study.id)
    assert [(r.trial_number, r.seed) for r in record.replicates] == [(0, 0), (0, 1)]
    assert {curve.shape for curve in record.curves.values()} == {(len(CURVE_METRICS), 8)}
    assert set(record.curves) == {r.replicate_id for r in record.replicates}
    assert all(None not in Metrics.model_validate(r.metrics).model_dump().values() for r in record.replicates)


def test_an_estimate_counts_points_lanes_and_cohorts(lab: Laboratory) -> None:
    spec = small_grid(
        regularizers={"dropout": {"rate": {"grid": [0.0, 0.5]}}, "early_stopping": {"patience": {"choices": [2, 5]}}}
    )
    estimate = lab.studies.validate(spec)
    assert (estimate.points, estimate.replicates, estimate.lanes, estimate.epochs) == (4, 8, 4, 32)
    assert estimate.parameters_of_model == 2 * 8 + 8 + 8 + 1


def test_a_dataset_that_does_not_exist_is_refused_with_those_that_do(lab: Laboratory) -> None:
    write_dataset(lab, "dogs", (10, 6, 6, 1))
    with pytest.raises(InvalidStudySpecError) as error:
        lab.studies.create(small_grid(dataset="cats"))
    fault = refusal(error)
    assert (fault["field"], fault["received"]) == ("dataset", "cats")
    assert "mnist_5k" in fault["expected"]
    assert "dogs" in fault["expected"]


def test_an_own_dataset_is_checked_by_its_header(lab: Laboratory) -> None:
    write_dataset(lab, "dogs", (10, 6, 6, 1))
    assert lab.studies.validate(small_grid(dataset="dogs")).parameters_of_model == 36 * 8 + 8 + 8 * 3 + 3
    write_dataset(lab, "rows", (10, 6))
    with pytest.raises(InvalidStudySpecError) as error:
        lab.studies.validate(small_grid(dataset="rows", model={"family": "convnet"}))
    assert refusal(error)["field"] == "model.family"


@pytest.mark.parametrize("content", [b"", b"PK not really", b"\x00" * 1000])
def test_a_broken_dataset_file_is_refused(lab: Laboratory, content: bytes) -> None:
    (lab.settings.data_dir / "datasets" / "broken.npz").write_bytes(content)
    with pytest.raises(InvalidStudySpecError) as error:
        lab.studies.create(small_grid(dataset="broken"))
    assert refusal(error)["field"] == "dataset"


def test_a_study_that_is_too_large_is_refused(lab: Laboratory) -> None:
    with pytest.raises(InvalidStudySpecError) as error:
        lab.studies.create(small_search("random", 10_000, replicates=1000))
    assert refusal(error)["field"] == "budget.replicates"


@pytest.mark.parametrize(
    ("point", "field"),
    [
        ({}, "points.0.dropout.rate"),
        ({"dropout.rate": 2.0, "l2.enabled": False}, "points.0.dropout.rate"),
        ({"dropout.rate": "high", "l2.enabled": False}, "points.0.dropout.rate"),
        ({"dropout.rate": 0.1, "l1.factor": 0.1}, "points.0.l1.factor"),
        ({"dropout.rate": 0.1, "l2.enabled": False, "l2.factor": 0.1}, "points.0.l2.factor"),
        ({"dropout.rate": 0.1, "l2.enabled": 1}, "points.0.l2.enabled"),
    ],
)
def test_a_point_that_the_study_cannot_train_is_refused_by_field(
    lab: Laboratory, point: dict[str, Any], field: str
) -> None:
    study = lab.studies.create(small_search("random", 4))
    with pytest.raises(InvalidStudySpecError) as error:
        lab.studies.enqueue(study.id, [point])
    assert refusal(error)["field"] == field
    assert lab.studies.trials(study.id).items == []


def test_every_regularizer_may_be_off_at_an_enqueued_point(lab: Laboratory) -> None:
    study = lab.studies.create(small_search("random", 4))
    (trial,) = lab.studies.enqueue(study.id, [{"dropout.enabled": False, "l2.enabled": False}])
    assert trial.parameters == {"dropout.enabled": False, "l2.enabled": False}


def test_points_cannot_be_added_to_a_cancelled_study(lab: Laboratory) -> None:
    study = lab.studies.create(small_grid())
    lab.studies.cancel(study.id)
    with pytest.raises(StateConflictError):
        lab.studies.enqueue(study.id, [{"dropout.rate": 0.9}])


def write_dataset(lab: Laboratory, name: str, shape: tuple[int, ...]) -> None:
    x, y = np.zeros(shape, dtype=np.float32), np.arange(shape[0]) % 3
    np.savez(lab.settings.data_dir / "datasets" / f"{name}.npz", x_train=x, y_train=y, x_test=x, y_test=y)
