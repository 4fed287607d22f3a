import numpy as np
import numpy.typing as npt
import pytest

from search_spaces.values import Point
from service.effects.estimate import estimate
from service.effects.records import StudyRecord
from service.effects.view import PatiencePoint
from tests.service.effects.studies import make_record, make_spec, rate
from trials.curves import CURVE_METRICS, Curve
from trials.early_stopping import StoppingRule, replay

RISING_LATE = [0.5, 0.6, 0.55, 0.55, 0.7, 0.65, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]


def make_curve(validation: list[float], test: list[float] | None = None) -> Curve:
    curve: npt.NDArray[np.float32] = np.full((len(CURVE_METRICS), len(validation)), np.nan, np.float32)
    for name, values in (("validation_accuracy", validation), ("test_accuracy", test or validation)):
        curve[CURVE_METRICS.index(name)] = values
    return curve


def study(curve: Curve, *, epochs: int = 12, **stopping: object) -> StudyRecord:
    spec = make_spec({"early_stopping": {"patience": {"choices": [2, 4]}} | stopping}, training={"epochs": epochs})
    return make_record(spec, lambda _, __: (1.0, 0.8, 0.7), curve=lambda _, __: curve, seeds=range(2))


def by_patience(record: StudyRecord) -> dict[int, PatiencePoint]:
    return {point.patience: point for point in estimate(record).patience}


def test_every_patience_is_what_replaying_the_curve_gives() -> None:
    points = by_patience(study(make_curve(RISING_LATE)))
    assert list(points) == [1, 2, 4, 5, 10]
    for patience, point in points.items():
        stop = replay(np.array(RISING_LATE), StoppingRule(patience=patience))
        assert point.test_accuracy.mean == pytest.approx(RISING_LATE[stop.selected_epoch])
        assert point.epochs == stop.last_epoch + 1


def test_patience_values_of_the_study_are_marked_and_trainings_counted_once() -> None:
    points = by_patience(study(make_curve(RISING_LATE)))
    assert [patience for patience, point in points.items() if point.asked] == [2, 4]
    assert (points[2].n, points[2].n_seeds) == (2, 2)


def test_patience_that_a_stopped_curve_cannot_answer_is_left_out() -> None:
    ended_after_patience_four = make_curve(RISING_LATE[:9])
    assert list(by_patience(study(ended_after_patience_four))) == [1, 2, 4]


def test_smallest_min_delta_and_restore_best_of_the_study_are_used() -> None:
    values = [0.5, 0.51, 0.52, 0.53, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]
    points = by_patience(study(make_curve(values), min_delta=0.1, restore_best=False))
    stop = replay(np.array(values), StoppingRule(patience=2, min_delta=0.1, restore_best=False))
    assert points[2].test_accuracy.mean == pytest.approx(values[stop.selected_epoch])
    assert points[2].epochs == 3


def test_the_first_start_epoch_of_the_study_is_used() -> None:
    points = by_patience(study(make_curve(RISING_LATE), start_epoch={"grid": [5, 8]}))
    stop = replay(np.array(RISING_LATE), StoppingRule(patience=2, start_epoch=5))
    assert points[2].test_accuracy.mean == pytest.approx(RISING_LATE[stop.selected_epoch])
    assert points[2].epochs == stop.last_epoch + 1 == 8


def test_accuracy_that_was_not_read_at_the_selected_epoch_is_left_out() -> None:
    test = [float("nan")] * 12
    test[4] = 0.66
    points = by_patience(study(make_curve(RISING_LATE, test)))
    assert points[2].test_accuracy.mean is None
    assert points[2].validation_accuracy.mean == pytest.approx(0.6)
    assert points[4].test_accuracy.mean == pytest.approx(0.66)
    assert points[4].train_accuracy.mean is None


def test_study_without_early_stopping_has_no_patience_curve() -> None:
    record = make_record(make_spec(), lambda _, __: (1.0, 0.8, 0.7), curve=lambda _, __: make_curve(RISING_LATE))
    assert estimate(record).patience == []


def test_study_without_curves_has_no_patience_curve() -> None:
    spec = make_spec({"early_stopping": {"patience": 2}})
    assert estimate(make_record(spec, lambda _, __: (1.0, 0.8, 0.7))).patience == []


def test_configurations_are_averaged_for_each_seed() -> None:
    spec = make_spec(
        {"dropout": {"rate": {"grid": [0.0, 0.5]}}, "early_stopping": {"patience": 2}}, training={"epochs": 3}
    )

    def curve(point: Point, seed: int) -> Curve:
        return make_curve([0.5 + 0.2 * rate(point) + 0.02 * seed] * 3)

    point = by_patience(make_record(spec, lambda _, __: (1.0, 0.8, 0.7), curve=curve, seeds=range(2)))[2]
    assert (point.n, point.n_seeds) == (4, 2)
    assert point.test_accuracy.mean == pytest.approx(0.56)
