from dataclasses import replace

import pytest
from scipy import stats

from search_spaces.values import Point
from service.effects.estimate import estimate
from tests.service.effects.studies import make_record, make_spec, rate

GRID = {"dropout": {"rate": {"grid": [0.0, 0.2, 0.4, 0.6]}}}


def test_best_is_picked_by_validation_and_reports_how_optimistic_that_was() -> None:
    validation, test = {0.0: 0.80, 0.2: 0.90, 0.4: 0.85, 0.6: 0.7}, {0.0: 0.95, 0.2: 0.84, 0.4: 0.9, 0.6: 0.9}
    record = make_record(
        make_spec(GRID),
        lambda p, s: (1.0, validation[rate(p)] + s / 1000, test[rate(p)]),
    )
    best = estimate(record).best
    assert best is not None
    assert (best.trial, best.parameters, best.n) == (1, {"dropout.rate": 0.2}, 5)
    assert best.objective_standard_error == pytest.approx(stats.sem([0, 0.001, 0.002, 0.003, 0.004]))
    assert best.selection_optimism == pytest.approx(0.902 - 0.84)


def test_most_regularized_trial_within_one_standard_error_is_picked() -> None:
    validation = {0.0: 0.895, 0.2: 0.90, 0.4: 0.895, 0.6: 0.88}
    record = make_record(make_spec(GRID), lambda p, s: (1.0, validation[rate(p)] + 0.02 * (s - 1), 0.8), seeds=range(3))
    pick = estimate(record).one_standard_error_pick
    assert pick is not None
    assert pick.parameters == {"dropout.rate": 0.4}
    assert pick.regularization == pytest.approx(2 / 3)


def test_with_one_seed_the_second_pick_is_the_best_itself() -> None:
    record = make_record(make_spec(GRID), lambda p, _: (1.0, 0.9 - 1e-6 * rate(p), 0.8), seeds=[0])
    effects = estimate(record)
    assert effects.best is not None
    assert effects.one_standard_error_pick is not None
    assert effects.best.objective_standard_error is None
    assert effects.best.trial == effects.one_standard_error_pick.trial == 0


def test_lucky_replicate_of_an_unfinished_trial_does_not_win() -> None:
    record = make_record(make_spec(GRID), lambda p, _: (1.0, 0.5 + rate(p), 0.8))
    running = tuple(replace(r, trial_state="running") if r.trial_number == 3 else r for r in record.replicates)
    best = estimate(replace(record, replicates=running)).best
    assert best is not None
    assert best.trial == 2


def test_objective_that_is_a_loss_is_minimised() -> None:
    spec = make_spec(GRID, objective={"metric": "validation_loss"})
    record = make_record(spec, lambda _, __: (1.0, 0.5, 0.8))
    losses = {0: 0.5, 1: 0.4, 2: 0.6, 3: 0.7}
    with_losses = tuple(
        replace(r, metrics=r.metrics.model_copy(update={"validation_loss": losses[r.trial_number]}))
        for r in record.replicates
    )
    best = estimate(replace(record, replicates=with_losses)).best
    assert best is not None
    assert (best.trial, best.objective) == (1, "validation_loss")
    assert best.objective_mean == pytest.approx(0.4)


def test_missing_test_accuracy_leaves_optimism_unknown() -> None:
    best = estimate(make_record(make_spec(GRID), lambda _, __: (1.0, 0.5, None))).best
    assert best is not None
    assert best.selection_optimism is None


def test_without_any_objective_there_is_no_best() -> None:
    effects = estimate(make_record(make_spec(GRID), lambda _, __: (1.0, None, 0.8)))
    assert (effects.best, effects.one_standard_error_pick) == (None, None)


def test_shorter_patience_counts_as_more_regularized_and_any_policy_as_full_strength() -> None:
    spec = make_spec(
        {
            "augmentation": {"policy": {"choices": ["none", "flip"]}},
            "early_stopping": {"patience": {"choices": [2, 10]}},
        }
    )

    def accuracies(_: Point, seed: int) -> tuple[float, float, float]:
        return 1.0, 0.8 + seed / 100, 0.8

    pick = estimate(make_record(spec, accuracies)).one_standard_error_pick
    assert pick is not None
    assert pick.parameters == {"augmentation.policy": "flip", "early_stopping.patience": 2}
    assert pick.regularization == 1.0


def test_study_without_regularizers_has_a_best_trial() -> None:
    best = estimate(make_record(make_spec(), lambda _, __: (1.0, 0.8, 0.8))).best
    assert best is not None
    assert (best.trial, best.parameters, best.regularization) == (0, {}, 0.0)
