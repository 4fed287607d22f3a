"""The lanes engine against Keras' own `fit`, and against itself."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from search_spaces.optimizers import Optimizer
from search_spaces.values import Scalar
from tests.trials.engine.cohorts import Outcome, cohort, convnet, digits, drive, lane, mlp
from trials.curves import row
from trials.early_stopping import StoppingRule, replay
from trials.engine import train
from trials.engine.initial_weights import initial_weights
from trials.engine.training_program import training_program
from trials.protocol import Reader

MLP = {"family": "mlp", "hidden_units": [16]}
DEEP = {"family": "mlp", "hidden_units": [24, 12]}
CONVNET = {"family": "convnet", "filters": [4, 6], "hidden_units": [16]}
BUILDERS: list[tuple[dict[str, Any], Callable[[Any], keras.Model]]] = [
    (MLP, lambda regularizer: mlp(16, regularizer=regularizer)),
    (DEEP, lambda regularizer: mlp(24, 12, regularizer=regularizer)),
    (CONVNET, convnet),
]
PENALTIES: list[tuple[dict[str, Any], Any]] = [
    ({}, None),
    ({"l2_factor": 1e-3}, keras.regularizers.L2(1e-3)),
    ({"l1_factor": 1e-4}, keras.regularizers.L1(1e-4)),
]


def fit(
    model: keras.Model, epochs: int, batch_size: int, optimizer: keras.optimizers.Optimizer
) -> dict[str, list[float]]:
    """What `model.fit` logs on digits from the engine's initial weights of seed 3, without shuffling."""
    data = digits()
    model.set_weights(initial_weights(model, 3))
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = model.fit(
        data.x_train,
        data.y_train,
        batch_size=batch_size,
        epochs=epochs,
        shuffle=False,
        validation_data=(data.x_validation, data.y_validation),
        verbose=0,
    )
    logged: dict[str, list[float]] = history.history
    return logged


@pytest.mark.parametrize(("settings", "regularizer"), PENALTIES, ids=["nothing", "l2", "l1"])
@pytest.mark.parametrize(("model", "build"), BUILDERS, ids=["mlp", "deep mlp", "convnet"])
def test_curve_equals_that_of_fit(
    model: dict[str, Any], build: Callable[[Any], keras.Model], settings: dict[str, float], regularizer: Any
) -> None:
    expected = fit(build(regularizer), 8, 32, keras.optimizers.Adam())
    asked = cohort([lane(0, 3, **settings)], shuffle=False, model=model)
    curve = drive(asked, digits(), build(None)).curves[0]
    np.testing.assert_allclose(row(curve, "running_loss"), expected["loss"], rtol=1e-6)
    np.testing.assert_allclose(row(curve, "running_accuracy"), expected["accuracy"], atol=1e-6)
    np.testing.assert_allclose(row(curve, "validation_accuracy"), expected["val_accuracy"], atol=1e-6)
    if regularizer is None:  # Keras adds the penalty to the validation loss too
        np.testing.assert_allclose(row(curve, "validation_loss"), expected["val_loss"], rtol=1e-6)


def test_a_last_batch_of_fewer_rows_is_trained_as_in_fit() -> None:
    expected = fit(mlp(16), 8, 50, keras.optimizers.Adam())
    curve = drive(cohort([lane(0, 3)], shuffle=False, batch_size=50, grafts=()), digits(), mlp(16)).curves[0]
    np.testing.assert_allclose(row(curve, "running_loss"), expected["loss"], rtol=1e-6)


@pytest.mark.parametrize(
    ("asked", "theirs"),
    [
        (Optimizer(name="sgd", learning_rate=0.1, momentum=0.9), keras.optimizers.SGD(0.1, momentum=0.9)),
        (Optimizer(name="rmsprop", learning_rate=0.001), keras.optimizers.RMSprop(0.001)),
    ],
    ids=["sgd", "rmsprop"],
)
def test_other_optimizers_equal_those_of_fit(asked: Optimizer, theirs: keras.optimizers.Optimizer) -> None:
    expected = fit(mlp(16), 8, 32, theirs)
    curve = drive(cohort([lane(0, 3)], shuffle=False, optimizer=asked, grafts=()), digits(), mlp(16)).curves[0]
    np.testing.assert_allclose(row(curve, "running_loss"), expected["loss"], rtol=1e-5)


UNLIKE: list[dict[str, Scalar]] = [
    {"dropout_rate": 0.3, "l2_factor": 1e-3, "augmentation_policy": "rotate", "augmentation_strength": 0.1},
    {"dropout_rate": 0.0},
    {"dropout_rate": 0.8, "l1_factor": 1e-4},
    {"augmentation_policy": "shift", "augmentation_strength": 0.2},
    {"augmentation_policy": "flip", "dropout_rate": 0.1},
    {"augmentation_policy": "zoom", "augmentation_strength": 0.3},
]


@pytest.fixture(scope="module")
def unlike_lanes() -> Outcome:
    lanes = [lane(i, i // 2, **UNLIKE[i % len(UNLIKE)]) for i in range(20)]
    return drive(cohort(lanes), digits(), mlp(16))


@pytest.mark.parametrize("i", [0, 7, 14, 19])
def test_lane_among_unlike_lanes_equals_the_same_lane_alone_to_the_last_bit(unlike_lanes: Outcome, i: int) -> None:
    alone = cohort([lane(0, i // 2, **UNLIKE[i % len(UNLIKE)])])
    np.testing.assert_array_equal(unlike_lanes.curves[i], drive(alone, digits(), mlp(16)).curves[0])


def test_more_lanes_than_slots_all_end_with_one_compilation(unlike_lanes: Outcome) -> None:
    assert sorted(unlike_lanes.results) == list(range(20))
    assert unlike_lanes.finished is not None
    assert unlike_lanes.finished.compilations <= 1


def test_a_second_cohort_of_the_same_program_compiles_nothing(unlike_lanes: Outcome) -> None:
    lanes = [lane(0, 99, dropout_rate=0.55, l1_factor=0.123)]
    again = drive(cohort(lanes, cohort_id="second"), digits(), mlp(16))
    assert again.finished is not None
    assert again.finished.compilations == 0
    assert again.results[0].metrics != unlike_lanes.results[0].metrics


def test_segment_lengths_do_not_change_a_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = cohort([lane(0, 1, dropout_rate=0.5)])
    whole = drive(asked, digits(), mlp(16))
    monkeypatch.setattr(train, "SEGMENT_SECONDS", 1e-9)
    in_pieces = drive(asked, digits(), mlp(16))
    assert len(in_pieces.reports) == 8
    np.testing.assert_array_equal(whole.curves[0], in_pieces.curves[0])


def test_equal_seeds_start_equally_and_unequal_seeds_do_not() -> None:
    lanes = [lane(0, 1, dropout_rate=0.0), lane(1, 1, dropout_rate=0.5), lane(2, 2, dropout_rate=0.0)]
    outcome = drive(cohort(lanes), digits(), mlp(16))
    first = [row(outcome.curves[i], "running_loss")[0] for i in range(3)]
    assert len(set(first)) == 3
    one, other = initial_weights(mlp(16), 1), initial_weights(mlp(16), 1)
    np.testing.assert_array_equal(one[0], other[0])
    assert not np.array_equal(one[0], initial_weights(mlp(16), 2)[0])


def test_rate_zero_equals_a_model_without_dropout() -> None:
    with_place = drive(cohort([lane(0, 4, dropout_rate=0.0)]), digits(), mlp(16))
    without = drive(cohort([lane(0, 4)], grafts=()), digits(), mlp(16))
    np.testing.assert_allclose(with_place.curves[0], without.curves[0], rtol=1e-6)


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_penalty_lowers_training_accuracy_when_it_is_large(name: str) -> None:
    lanes = [lane(0, 4), lane(1, 4, **{f"{name}_factor": 0.3})]
    outcome = drive(cohort(lanes), digits(), mlp(16))
    free, held = (outcome.results[i].metrics.train_accuracy for i in (0, 1))
    assert free is not None
    assert held is not None
    assert held < free - 0.1


def test_readers_of_one_lane_each_stop_where_their_patience_ends() -> None:
    rules = [StoppingRule(patience=p, monitor="validation_accuracy") for p in (1, 2, 4)]
    readers = [Reader(replicate_id=i, rule=rule) for i, rule in enumerate(rules)]
    asked = cohort([lane(0, 3, *readers)], epochs=30, monitor="validation_accuracy", grafts=())
    outcome = drive(asked, digits(), mlp(16))
    full = drive(cohort([lane(0, 3)], epochs=30, monitor="validation_accuracy", grafts=()), digits(), mlp(16)).curves[0]
    for i, rule in enumerate(rules):
        end = replay(row(full, "validation_accuracy"), rule)
        result = outcome.results[i]
        assert (result.selected_epoch, result.last_epoch) == (end.best_epoch, end.last_epoch)
        assert result.metrics.test_accuracy == pytest.approx(row(full, "test_accuracy")[end.best_epoch])
    assert outcome.curves[0].shape[1] == max(result.last_epoch or 0 for result in outcome.results.values()) + 1


def test_every_record_epoch_is_read_on_test_data_in_a_long_training() -> None:
    outcome = drive(
        cohort([lane(0, 3)], epochs=60, batch_size=256, monitor="validation_loss", grafts=()), digits(), mlp(8)
    )
    curve = outcome.curves[0]
    loss = row(curve, "validation_loss")
    records = [e for e in range(60) if e == 0 or loss[e] < loss[:e].min()]
    assert np.isfinite(row(curve, "test_accuracy")[records]).all()
    assert np.isfinite(row(curve, "train_loss")[59])


def test_best_epochs_since_each_start_are_read_on_test_data_in_a_long_training() -> None:
    starts = (0, 20, 45)
    rules = [StoppingRule(patience=60, start_epoch=start, monitor="validation_loss") for start in starts]
    readers = [Reader(replicate_id=i, rule=rule) for i, rule in enumerate(rules)]
    fields: dict[str, Any] = {"epochs": 60, "batch_size": 256, "monitor": "validation_loss", "grafts": ()}
    too_fast = Optimizer(learning_rate=0.5)
    asked = cohort([lane(0, 3, *readers)], monitor_starts=starts, optimizer=too_fast, **fields)

    outcome = drive(asked, digits(), mlp(8))

    curve = outcome.curves[0]
    loss, read = row(curve, "validation_loss"), np.isfinite(row(curve, "test_accuracy"))
    for i, start in enumerate(starts):
        assert outcome.results[i].selected_epoch == start + int(loss[start:].argmin())
        assert outcome.results[i].metrics.test_accuracy is not None
        assert read[[e for e in range(start, 60) if e == start or loss[e] < loss[start:e].min()]].all()
    assert loss.argmin() < 45
    assert not read.all()


def test_every_epoch_is_read_where_a_rule_begins_at_an_epoch_that_the_program_does_not_know() -> None:
    rule = StoppingRule(patience=60, start_epoch=7, monitor="validation_loss")
    lanes = [lane(0, 3, Reader(replicate_id=0, rule=rule))]
    known, unknown = (cohort(lanes, epochs=60, monitor="validation_loss", monitor_starts=s) for s in ((0, 7), (0,)))

    assert training_program(known, digits(), mlp(8)).program.plan.read_every > 1
    assert training_program(unknown, digits(), mlp(8)).program.plan.read_every == 1


def test_diverged_lane_fails_with_its_epoch_and_its_neighbour_completes() -> None:
    lanes = [lane(0, 0), lane(1, 0, l2_factor=1e30)]
    outcome = drive(cohort(lanes), digits(), mlp(16))
    assert outcome.results[0].state == "complete"
    assert outcome.results[1].state == "failed"
    assert "not finite after epoch" in (outcome.results[1].reason or "")


def test_stopped_replicates_are_trained_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "SEGMENT_SECONDS", 1e-9)
    outcome = drive(cohort([lane(0), lane(1)]), digits(), mlp(16), stop_after={1: (1,)})
    assert sorted(outcome.results) == [0]
    assert outcome.curves[1].shape[1] == 2


def test_two_classes_are_trained_with_one_logit() -> None:
    data = digits()
    binary = type(data)(
        x_train=data.x_train,
        y_train=data.y_train // 5,
        x_validation=data.x_validation,
        y_validation=data.y_validation // 5,
        x_test=data.x_test,
        y_test=data.y_test // 5,
        n_classes=2,
    )
    inputs = keras.Input((8, 8, 1))
    hidden = keras.layers.Dense(32, activation="relu")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    metrics = drive(cohort([lane(0)], dataset="circles", grafts=()), binary, model).results[0].metrics
    assert metrics.train_accuracy is not None
    assert metrics.train_accuracy > 0.7
