import pytest

from search_spaces.values import Point
from service.effects.estimate import estimate
from tests.service.effects.studies import make_record, make_spec, rate

PAIR = {"dropout": {"rate": {"grid": [0.0, 0.5]}}, "l2": {"factor": {"grid": [0.0, 0.1]}}}


def test_cells_hold_test_accuracy_of_both_levels() -> None:
    record = make_record(make_spec(PAIR), lambda p, _: (1.0, 0.8, 0.5 + 0.2 * rate(p) + float(p["l2.factor"])))
    (found,) = estimate(record).interactions
    cells = {(cell.first, cell.second): cell for cell in found.cells}
    assert (found.first, found.second) == ("dropout", "l2")
    assert (found.first_levels, found.second_levels) == (["off", "0.5"], ["off", "0.1"])
    assert cells["0.5", "0.1"].test_accuracy.mean == pytest.approx(0.7)
    assert (cells["off", "0.1"].n, cells["off", "0.1"].n_seeds) == (5, 5)


def test_cells_that_were_not_measured_are_absent() -> None:
    points: list[Point] = [
        {"dropout.rate": 0.0, "l2.factor": 0.0},
        {"dropout.rate": 0.5, "l2.factor": 0.0},
        {"dropout.rate": 0.0, "l2.factor": 0.1},
    ]
    (found,) = estimate(make_record(make_spec(PAIR), lambda _, __: (1.0, 0.8, 0.7), points=points)).interactions
    assert {(cell.first, cell.second) for cell in found.cells} == {("off", "off"), ("0.5", "off"), ("off", "0.1")}


def test_regularizer_with_one_level_interacts_with_nothing() -> None:
    spec = make_spec(PAIR | {"l1": {"factor": 0.1}})
    found = estimate(make_record(spec, lambda _, __: (1.0, 0.8, 0.7))).interactions
    assert [(one.first, one.second) for one in found] == [("dropout", "l2")]
