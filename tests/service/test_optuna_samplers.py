from collections import Counter

import numpy as np
import optuna
import pytest

from search_spaces.grids import is_off, off_point
from service.optuna_samplers import make_pruner, sketch_point
from tests.specs import small_grid, small_search


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def test_quasi_random_points_cover_every_knob_evenly_from_the_first_point_on() -> None:
    spec = small_search("qmc", 16)
    points = [sketch_point(spec, number, 0) for number in range(16)]
    rates = np.array([point["dropout.rate"] for point in points], dtype=float)
    assert np.histogram(rates, bins=8, range=(0, 0.9))[0].tolist() == [2] * 8
    assert Counter(point["l2.enabled"] for point in points) == {True: 8, False: 8}


@pytest.mark.parametrize("sampler", ["random", "qmc"])
def test_a_draw_depends_on_its_place_and_attempt_only(sampler: str) -> None:
    spec = small_search(sampler, 10)
    assert sketch_point(spec, 5, 0) == sketch_point(spec, 5, 0)
    assert len({repr(sketch_point(spec, number, attempt)) for number in (1, 2) for attempt in (0, 1)}) == 4


def test_studies_of_different_seed_draw_differently() -> None:
    assert sketch_point(small_search("random", 4, seed=1), 0, 0) != sketch_point(
        small_search("random", 4, seed=2), 0, 0
    )


def test_knobs_of_a_regularizer_that_is_off_are_left_out() -> None:
    spec = small_search("random", 40)
    points = [sketch_point(spec, number, 0) for number in range(40)]
    assert {("l2.factor" in point) == point["l2.enabled"] for point in points} == {True}
    assert {point["l2.enabled"] for point in points} == {True, False}


def test_fixed_knobs_are_written_as_asked() -> None:
    spec = small_search(
        "random", 4, regularizers={"dropout": {"rate": 0.25}, "l1": {"factor": {"low": 0.0, "high": 1.0}}}
    )
    assert sketch_point(spec, 0, 0)["dropout.rate"] == 0.25


def test_the_baseline_has_the_shape_of_a_drawn_point_with_everything_off() -> None:
    spec = small_search("random", 4)
    baseline = off_point(spec)
    assert baseline == {"dropout.rate": 0.0, "l2.enabled": False}
    assert is_off(baseline)


@pytest.mark.parametrize(("pruner", "epochs"), [("none", 1), ("median", 1), ("asha", 1), ("asha", 4000)])
def test_every_pruner_can_be_made_for_any_number_of_epochs(pruner: str, epochs: int) -> None:
    spec = small_grid(search={"sampler": "grid", "pruner": pruner}, training={"epochs": epochs})
    assert make_pruner(spec) is not None
