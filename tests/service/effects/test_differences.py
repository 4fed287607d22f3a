import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from search_spaces.values import Point
from service.effects.estimate import estimate
from service.effects.records import StudyRecord
from service.effects.view import Difference
from tests.service.effects.studies import make_record, make_spec, rate

DROPOUT = {"dropout": {"rate": {"grid": [0.0, 0.5]}}}


def difference(record: StudyRecord, regularizer: int = 0, level: int = -1) -> Difference:
    found = estimate(record).regularizers[regularizer].levels[level].difference_from_off
    assert found is not None
    return found


def test_paired_difference_equals_scipys_paired_t_test() -> None:
    off, on = [0.70, 0.72, 0.71, 0.75], [0.73, 0.74, 0.75, 0.74]
    record = make_record(
        make_spec(DROPOUT), lambda p, s: (0.9, 0.8, (on if p["dropout.rate"] else off)[s]), seeds=range(4)
    )
    found = difference(record)
    expected = stats.ttest_rel(on, off)
    bounds = expected.confidence_interval(0.95)
    assert found.paired
    assert (found.n_pairs, found.n_seeds) == (4, 4)
    assert found.mean == pytest.approx(0.02)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high))
    assert found.probability_better == 0.75


def test_differences_are_averaged_over_cells_for_each_seed_before_the_test() -> None:
    spec = make_spec(DROPOUT | {"l2": {"factor": {"grid": [0.0, 0.1]}}})

    def accuracies(point: Point, seed: int) -> tuple[float, float, float]:
        gain = (0.02 if point["l2.factor"] else 0.04) + 0.01 * seed
        return 0.9, 0.8, 0.7 + (gain if point["dropout.rate"] else 0.0)

    found = difference(make_record(spec, accuracies, seeds=range(3)))
    assert (found.n_pairs, found.n_seeds) == (6, 3)
    assert found.p_value == pytest.approx(stats.ttest_1samp([0.03, 0.04, 0.05], 0).pvalue)


def test_only_equal_seeds_at_otherwise_equal_points_are_paired() -> None:
    spec = make_spec(DROPOUT | {"l2": {"factor": {"grid": [0.0, 0.1]}}})
    points: list[Point] = [
        {"dropout.rate": 0.0, "l2.factor": 0.0},
        {"dropout.rate": 0.5, "l2.factor": 0.0},
        {"dropout.rate": 0.5, "l2.factor": 0.1},
    ]
    record = make_record(spec, lambda p, _: (0.9, 0.8, 0.9 if p["l2.factor"] else 0.6 + 0.2 * rate(p)), points=points)
    assert difference(record).mean == pytest.approx(0.1)


def test_own_further_knobs_do_not_separate_pairs() -> None:
    spec = make_spec({"augmentation": {"policy": {"choices": ["none", "shift"]}, "strength": {"grid": [0.1, 0.2]}}})
    gain = {0.1: 0.01, 0.2: 0.03}
    record = make_record(
        spec,
        lambda p, _: (
            0.9,
            0.8,
            0.7 + (gain[float(p["augmentation.strength"])] if p["augmentation.policy"] == "shift" else 0),
        ),
    )
    assert difference(record).mean == pytest.approx(0.02)


def test_one_seed_gives_a_difference_without_interval_or_p_value() -> None:
    found = difference(make_record(make_spec(DROPOUT), lambda p, _: (0.9, 0.8, 0.7 + rate(p) / 10), seeds=[0]))
    assert found.mean == pytest.approx(0.05)
    assert (found.low, found.high, found.p_value, found.p_value_holm) == (None, None, None, None)


def test_two_seeds_that_happen_to_agree_are_no_proof() -> None:
    found = difference(make_record(make_spec(DROPOUT), lambda p, _: (0.9, 0.8, 0.7 + rate(p) / 10), seeds=[0, 1]))
    assert found.p_value == 0.5
    assert (found.low, found.high) == (None, None)


def test_identical_trainings_differ_by_zero_and_tie_in_every_pair() -> None:
    found = difference(make_record(make_spec(DROPOUT), lambda _, s: (0.9, 0.8, 0.7 + s / 100)))
    assert (found.mean, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert found.probability_better == 0.5


def test_without_pairs_trial_means_are_compared_by_welch() -> None:
    spec = make_spec(
        {"dropout": {"rate": {"grid": [0.0, 0.5]}}, "l2": {"factor": {"low": 0.0, "high": 1.0}}}, sampler="random"
    )
    off, on = [0.70, 0.71, 0.72], [0.71, 0.75, 0.78, 0.77]
    points: list[Point] = [{"dropout.rate": 0.0 if i < 3 else 0.5, "l2.factor": (1 + i) / 10} for i in range(7)]
    values = dict(zip((point["l2.factor"] for point in points), off + on, strict=True))
    record = make_record(spec, lambda p, _: (0.9, 0.8, values[p["l2.factor"]]), points=points, seeds=range(2))
    found = difference(record)
    expected = stats.ttest_ind(on, off, equal_var=False)
    assert not found.paired
    assert (found.n_pairs, found.n_reference) == (4, 3)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.high == pytest.approx(expected.confidence_interval(0.95).high)
    assert found.probability_better == pytest.approx(10.5 / 12)


def test_few_accidental_pairs_among_random_points_do_not_displace_the_comparison_of_all_trials() -> None:
    spec = make_spec(
        {
            "dropout": {"rate": {"grid": [0.0, 0.5]}},
            "l2": {"factor": {"low": 1e-5, "high": 1.0, "log": True}, "optional": True},
        },
        sampler="random",
    )
    rng = np.random.default_rng(0)
    points: list[Point] = []
    for dropout in (0.0, 0.5):
        points.append({"dropout.rate": dropout, "l2.enabled": False})
        factors = rng.uniform(0.1, 1, 9).tolist()
        points += [{"dropout.rate": dropout, "l2.enabled": True, "l2.factor": factor} for factor in factors]
    record = make_record(
        spec,
        lambda p, _: (0.9, 0.8, 0.7 + 0.1 * rate(p) + rng.normal(0, 0.01)),
        points=points,
        seeds=[0],
    )
    found = difference(record)
    assert (found.paired, found.n_pairs, found.n_reference) == (False, 10, 10)
    assert found.p_value is not None
    assert found.p_value < 0.001


def test_single_trials_without_pairs_have_a_difference_and_no_p_value() -> None:
    spec = make_spec(
        {"dropout": {"rate": {"grid": [0.0, 0.5]}}, "l2": {"factor": {"low": 0.0, "high": 1.0}}}, sampler="random"
    )
    points: list[Point] = [{"dropout.rate": 0.0, "l2.factor": 0.3}, {"dropout.rate": 0.5, "l2.factor": 0.7}]
    found = difference(make_record(spec, lambda p, _: (0.9, 0.8, 0.7 + rate(p) / 10), points=points))
    assert (found.paired, found.p_value, found.low) == (False, None, None)
    assert found.mean == pytest.approx(0.05)


def test_early_stopping_without_off_is_compared_with_the_largest_patience() -> None:
    spec = make_spec({"early_stopping": {"patience": {"choices": [2, 10, 5]}}})
    record = make_record(spec, lambda p, _: (0.9, 0.8, 0.7 + 0.001 * float(p["early_stopping.patience"])))
    (effect,) = estimate(record).regularizers
    assert effect.reference == "patience 10"
    assert [level.is_reference for level in effect.levels] == [False, False, True]
    assert effect.levels[2].difference_from_off is None
    assert difference(record, level=0).mean == pytest.approx(-0.008)


def test_early_stopping_that_is_optional_is_compared_with_its_absence() -> None:
    spec = make_spec({"early_stopping": {"patience": {"choices": [2, 10]}, "optional": True}})
    (effect,) = estimate(make_record(spec, lambda _, s: (0.9, 0.8, 0.7 + s / 100))).regularizers
    assert effect.reference == "off"
    assert effect.levels[0].is_reference


def test_p_values_are_adjusted_by_holm_over_all_regularizers_and_levels() -> None:
    rng = np.random.default_rng(1)
    spec = make_spec({"dropout": {"rate": {"grid": [0.0, 0.2, 0.5]}}, "l2": {"factor": {"grid": [0.0, 0.1]}}})
    effects = estimate(make_record(spec, lambda _, __: (0.9, 0.8, 0.7 + rng.normal(0, 0.01))))
    found = [d for e in effects.regularizers for level in e.levels if (d := level.difference_from_off) is not None]
    expected = multipletests([d.p_value for d in found], method="holm")[1]
    assert len(found) == 3
    assert [d.p_value_holm for d in found] == pytest.approx(list(expected))


ACCURACIES = st.lists(st.tuples(st.integers(300, 700), st.integers(300, 700)), min_size=2, max_size=8)


def record_of(pairs: list[tuple[int, int]], *, shift: float = 0.0, relabel: int = 0) -> StudyRecord:
    return make_record(
        make_spec(DROPOUT),
        lambda p, s: (0.9, 0.8, pairs[(s - relabel) % 100][1 if p["dropout.rate"] else 0] / 1000 + shift),
        seeds=[(i + relabel) for i in range(len(pairs))],
    )


@settings(max_examples=10, deadline=None)
@given(ACCURACIES, st.integers(1, 50))
def test_relabelling_seeds_changes_no_difference(pairs: list[tuple[int, int]], relabel: int) -> None:
    assert difference(record_of(pairs, relabel=relabel)) == difference(record_of(pairs))


@settings(max_examples=10, deadline=None)
@given(ACCURACIES, st.sampled_from([-0.25, 0.125, 0.25]))
def test_adding_a_constant_to_all_accuracies_changes_no_difference(pairs: list[tuple[int, int]], shift: float) -> None:
    moved, plain = difference(record_of(pairs, shift=shift)), difference(record_of(pairs))
    for field in ("mean", "low", "high", "p_value", "probability_better"):
        expected = getattr(plain, field)
        assert getattr(moved, field) == (None if expected is None else pytest.approx(expected, abs=1e-9))


@settings(max_examples=10, deadline=None)
@given(ACCURACIES)
def test_exchanging_off_and_on_turns_the_difference_around(pairs: list[tuple[int, int]]) -> None:
    plain, turned = difference(record_of(pairs)), difference(record_of([(on, off) for off, on in pairs]))
    assert turned.mean == pytest.approx(-plain.mean)
    assert turned.probability_better == pytest.approx(1 - plain.probability_better)
    assert turned.p_value == pytest.approx(plain.p_value)
