import math

import numpy as np
import pytest
from scipy import stats

from search_spaces.values import Point
from service.effects.estimate import estimate
from tests.service.effects.studies import make_record, make_spec


def test_level_has_mean_and_t_interval_over_seeds_as_scipy_gives_them() -> None:
    values = [0.70, 0.74, 0.71, 0.75]
    record = make_record(make_spec({"dropout": {"rate": 0.2}}), lambda _, s: (0.9, 0.8, values[s]), seeds=range(4))
    level = estimate(record).regularizers[0].levels[0]
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert (level.n, level.n_seeds, level.n_trials) == (4, 4, 1)
    assert level.test_accuracy.mean == pytest.approx(np.mean(values))
    assert (level.test_accuracy.low, level.test_accuracy.high) == pytest.approx((low, high))


def test_trials_of_a_level_are_averaged_for_each_seed_before_the_interval() -> None:
    spec = make_spec({"dropout": {"rate": {"grid": [0.0, 0.5]}}, "l2": {"factor": {"grid": [0.0, 0.1]}}})
    record = make_record(
        spec, lambda p, s: (1.0, 0.5, 0.6 + 0.1 * s + (0.2 if p["l2.factor"] else 0.0)), seeds=range(2)
    )
    level = estimate(record).regularizers[0].levels[0]
    expected = stats.t.interval(0.95, 1, loc=0.75, scale=stats.sem([0.7, 0.8]))
    assert (level.n, level.n_seeds, level.n_trials) == (4, 2, 2)
    assert (level.test_accuracy.low, level.test_accuracy.high) == pytest.approx(expected)


def test_one_seed_has_a_mean_and_no_interval() -> None:
    record = make_record(make_spec({"dropout": {"rate": 0.2}}), lambda _, __: (0.9, 0.8, 0.7), seeds=[3])
    test = estimate(record).regularizers[0].levels[0].test_accuracy
    assert (test.mean, test.low, test.high) == (0.7, None, None)


def test_missing_accuracies_are_left_out_of_means_and_empty_where_all_miss() -> None:
    record = make_record(
        make_spec({"dropout": {"rate": 0.2}}), lambda _, s: (None, 0.8, 0.7 if s else None), seeds=range(3)
    )
    level = estimate(record).regularizers[0].levels[0]
    assert level.train_accuracy.mean is None
    assert level.test_accuracy.mean == pytest.approx(0.7)
    assert level.n == 3


def test_zero_rate_and_policy_none_are_the_off_levels_and_come_first() -> None:
    spec = make_spec(
        {"dropout": {"rate": {"grid": [0.4, 0.0]}}, "augmentation": {"policy": {"choices": ["shift", "none"]}}}
    )
    dropout, augmentation = estimate(make_record(spec, lambda _, __: (0.9, 0.8, 0.7))).regularizers
    assert [(level.value, level.is_off) for level in dropout.levels] == [(0.0, True), (0.4, False)]
    assert [(level.value, level.is_off) for level in augmentation.levels] == [("none", True), ("shift", False)]


def test_disabled_regularizer_is_an_off_level_without_value() -> None:
    spec = make_spec({"l2": {"factor": {"grid": [1e-4, 1e-2]}, "optional": True}})
    (l2,) = estimate(make_record(spec, lambda _, __: (0.9, 0.8, 0.7))).regularizers
    assert [(level.value, level.label) for level in l2.levels] == [(None, "off"), (1e-4, "0.0001"), (0.01, "0.01")]
    assert l2.log_scale


def test_disabled_and_zero_rate_are_one_off_level() -> None:
    spec = make_spec({"dropout": {"rate": {"grid": [0.0, 0.5]}, "optional": True}})
    (dropout,) = estimate(make_record(spec, lambda _, __: (0.9, 0.8, 0.7))).regularizers
    assert [(level.value, level.n) for level in dropout.levels] == [(0.0, 10), (0.5, 5)]


def test_words_keep_the_order_in_which_they_were_asked() -> None:
    spec = make_spec({"augmentation": {"policy": {"choices": ["zoom", "none", "flip"]}}})
    (augmentation,) = estimate(make_record(spec, lambda _, __: (0.9, 0.8, 0.7))).regularizers
    assert [level.value for level in augmentation.levels] == ["none", "zoom", "flip"]


def test_continuous_log_range_is_binned_with_off_apart_and_geometric_centres() -> None:
    spec = make_spec({"l2": {"factor": {"low": 1e-6, "high": 1e-1, "log": True}, "optional": True}}, sampler="random")
    factors = [float(10**x) for x in np.linspace(-6, -1, 20)]
    points: list[Point] = [{"l2.enabled": True, "l2.factor": factor} for factor in factors]
    points.append({"l2.enabled": False})
    (l2,) = estimate(make_record(spec, lambda _, __: (0.9, 0.8, 0.7), points=points)).regularizers
    first = l2.levels[1]
    assert [level.n_trials for level in l2.levels] == [1, 4, 4, 4, 4, 4]
    assert (first.bin_low, first.bin_high) == (factors[0], factors[3])
    assert first.value == pytest.approx(math.prod(factors[:4]) ** 0.25)


def test_long_explicit_grid_is_not_binned() -> None:
    rates = [round(0.05 * i, 2) for i in range(19)]
    record = make_record(make_spec({"dropout": {"rate": {"grid": rates}}}), lambda _, __: (0.9, 0.8, 0.7), seeds=[0])
    assert [level.value for level in estimate(record).regularizers[0].levels] == rates


def test_fixed_knob_that_the_point_does_not_mention_has_its_level() -> None:
    spec = make_spec({"dropout": {"rate": 0.3}}, sampler="random")
    record = make_record(spec, lambda _, __: (0.9, 0.8, 0.7), points=[{}])
    assert [level.value for level in estimate(record).regularizers[0].levels] == [0.3]
