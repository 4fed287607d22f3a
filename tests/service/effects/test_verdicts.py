from collections.abc import Mapping

import numpy as np
import pytest

from search_spaces.values import Point
from service.effects.differences import adjusted, differences_from_reference
from service.effects.estimate import estimate
from service.effects.frame import measured
from service.effects.levels import levels_of
from service.effects.records import StudyRecord
from service.effects.verdicts import significance
from tests.service.effects.studies import make_record, make_spec, rate

CIRCLES_MEANS = {0.0: 0.778, 0.2: 0.806, 0.4: 0.803, 0.6: 0.790, 0.8: 0.756}
"""Mean accuracy on 10,000 fresh points by dropout rate, 16 seeds; standard deviation about 0.003."""


def circles(rates: list[float], *, n_seeds: int = 16) -> StudyRecord:
    rng = np.random.default_rng(7)

    def accuracies(point: Point, _: int) -> tuple[float, float, float]:
        mean = CIRCLES_MEANS[rate(point)]
        return 0.967, mean + rng.normal(0, 0.02), mean + rng.normal(0, 0.003)

    return make_record(make_spec({"dropout": {"rate": {"grid": rates}}}), accuracies, seeds=range(n_seeds))


def test_dropout_helps_on_circles_and_its_sentence_names_the_rate_that_costs() -> None:
    (dropout,) = estimate(circles([0.0, 0.2, 0.4, 0.6, 0.8])).regularizers
    assert dropout.verdict == "helps"
    assert dropout.picked in {"0.2", "0.4"}
    assert dropout.sentence.startswith(f"dropout helps: at rate {dropout.picked} test accuracy rises by 2.")
    assert "16 seeds" in dropout.sentence
    assert "; rate 0.8 costs 2." in dropout.sentence


def test_only_a_rate_that_is_too_high_hurts() -> None:
    (dropout,) = estimate(circles([0.0, 0.8])).regularizers
    assert dropout.verdict == "hurts"
    assert dropout.sentence.startswith("dropout hurts: at rate 0.8 test accuracy falls by 2.")
    assert "(95 % 2." in dropout.sentence


def gains(test: Mapping[float, float], validation: Mapping[float, float]) -> StudyRecord:
    rng = np.random.default_rng(0)
    return make_record(
        make_spec({"dropout": {"rate": {"grid": list(test)}}}),
        lambda p, _: (
            0.9,
            0.8 + validation[rate(p)] + rng.normal(0, 1e-4),
            0.7 + test[rate(p)] + rng.normal(0, 1e-4),
        ),
        seeds=range(10),
    )


def test_test_data_do_not_pick_the_level_that_decides() -> None:
    record = gains({0.0: 0.0, 0.2: 0.05, 0.5: 0.0}, {0.0: 0.0, 0.2: 0.01, 0.5: 0.02})
    (dropout,) = estimate(record).regularizers
    assert (dropout.picked, dropout.verdict) == ("0.5", "not separable")


def test_level_that_hurts_does_not_count_where_another_is_better() -> None:
    record = gains({0.0: 0.0, 0.2: 0.05, 0.5: -0.05}, {0.0: 0.0, 0.2: 0.01, 0.5: -0.02})
    (dropout,) = estimate(record).regularizers
    assert dropout.verdict == "helps"


def test_study_without_off_says_that_nothing_can_be_compared() -> None:
    spec = make_spec({"dropout": {"rate": {"grid": [0.2, 0.5]}}})
    (dropout,) = estimate(make_record(spec, lambda p, s: (0.9, 0.8, rate(p) + s / 100))).regularizers
    assert dropout.verdict == "not separable"
    assert dropout.reference is None
    assert 'no "off" to compare it with' in dropout.sentence
    assert all(level.difference_from_off is None for level in dropout.levels)


def test_one_seed_is_not_separable_and_says_why() -> None:
    (dropout,) = estimate(circles([0.0, 0.2], n_seeds=1)).regularizers
    assert dropout.verdict == "not separable"
    assert "1 seed: too few for an interval" in dropout.sentence


def test_only_off_measured_so_far_is_said() -> None:
    record = make_record(make_spec({"dropout": {"rate": {"grid": [0.0]}}}), lambda _, __: (0.9, 0.8, 0.7))
    (dropout,) = estimate(record).regularizers
    assert dropout.sentence == "dropout is not separable from noise: nothing has been measured beside off yet."


def test_study_without_complete_replicates_has_an_answer_for_every_question() -> None:
    spec = make_spec({"dropout": {"rate": {"grid": [0.0, 0.5]}}, "early_stopping": {"patience": 2}})
    effects = estimate(make_record(spec, lambda _, __: (None, None, None), points=[]))
    assert [effect.levels for effect in effects.regularizers] == [[], []]
    assert "no replicate is complete yet" in effects.regularizers[0].sentence
    assert (effects.best, effects.one_standard_error_pick, effects.noise_floor, effects.patience) == (
        None,
        None,
        None,
        [],
    )


def test_unpaired_evidence_counts_trials() -> None:
    spec = make_spec(
        {"dropout": {"rate": {"grid": [0.0, 0.5]}}, "l2": {"factor": {"low": 0.0, "high": 1.0}}}, sampler="random"
    )
    rng = np.random.default_rng(0)
    points: list[Point] = [{"dropout.rate": 0.5 * (i % 2), "l2.factor": float(rng.uniform(0.1, 1))} for i in range(12)]
    record = make_record(
        spec,
        lambda p, _: (0.9, 0.8 + rate(p), 0.7 + 0.1 * rate(p) + rng.normal(0, 0.01)),
        points=points,
    )
    assert "6 trials against 6, not paired" in estimate(record).regularizers[0].sentence


def share_of_false_alarms(*, n_studies: int, n_seeds: int, n_test: int) -> float:
    """Share of studies without any effect in which some level of some regularizer seems to have one."""
    rng = np.random.default_rng(2026)
    spec = make_spec({"dropout": {"rate": {"grid": [0.0, 0.2, 0.5]}}, "l2": {"factor": {"grid": [0.0, 1e-3]}}})
    alarms = 0
    for _ in range(n_studies):
        record = make_record(spec, lambda _, __: (1.0, 0.8, rng.binomial(n_test, 0.78) / n_test), seeds=range(n_seeds))
        data = measured(record)
        found = adjusted([differences_from_reference(levels_of(name, data)) for name in ("dropout", "l2")])
        alarms += any(significance(d) for differences in found for d in differences.values())
    return alarms / n_studies


@pytest.mark.parametrize(
    ("n_seeds", "n_test"), [(10, 10_000), (2, 20)], ids=["usual", "few-seeds-and-coarse-accuracies"]
)
def test_without_any_effect_at_most_about_one_study_in_twenty_has_a_verdict(n_seeds: int, n_test: int) -> None:
    assert share_of_false_alarms(n_studies=50, n_seeds=n_seeds, n_test=n_test) <= 0.08
