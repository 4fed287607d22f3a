import numpy as np
import pytest

from service.effects.estimate import estimate
from tests.service.effects.studies import make_record, make_spec


def test_noise_floor_is_the_scatter_over_seeds_where_everything_is_off() -> None:
    values = [0.70, 0.72, 0.77]
    spec = make_spec({"dropout": {"rate": {"grid": [0.0, 0.5]}}, "l2": {"factor": {"grid": [0.1]}, "optional": True}})
    off = {"dropout.rate": 0.0, "l2.enabled": False}
    floor = estimate(
        make_record(spec, lambda p, s: (1.0, 0.8, values[s] if p == off else 0.1), seeds=range(3))
    ).noise_floor
    assert floor is not None
    assert floor.n == 3
    assert floor.test_accuracy.mean == pytest.approx(np.mean(values))
    assert floor.test_accuracy.sd == pytest.approx(np.std(values, ddof=1))


def test_one_training_read_at_several_patience_values_counts_once_at_the_largest() -> None:
    spec = make_spec(
        {"dropout": {"rate": {"grid": [0.0, 0.5]}}, "early_stopping": {"patience": {"choices": [2, 5, 10]}}}
    )
    record = make_record(spec, lambda p, s: (1.0, 0.8, 0.5 + s / 100 + float(p["early_stopping.patience"]) / 100))
    floor = estimate(record).noise_floor
    assert floor is not None
    assert floor.n == 5
    assert floor.test_accuracy.mean == pytest.approx(0.62)


def test_study_that_never_turns_everything_off_has_no_noise_floor() -> None:
    spec = make_spec({"dropout": {"rate": {"grid": [0.2, 0.5]}}})
    assert estimate(make_record(spec, lambda _, __: (1.0, 0.8, 0.7))).noise_floor is None


def test_one_seed_has_no_standard_deviation() -> None:
    floor = estimate(make_record(make_spec(), lambda _, __: (1.0, 0.8, 0.7), seeds=[0])).noise_floor
    assert floor is not None
    assert (floor.n, floor.test_accuracy.mean, floor.test_accuracy.sd) == (1, 0.7, None)
