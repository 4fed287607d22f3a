"""Optimizers, schedules and class weights through the compiled step, against `fit`."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from search_spaces.optimizers import Cosine, Exponential, Optimizer, Piecewise
from tests.trials.engine.cohorts import cohort, digits, drive, lane, mlp
from trials.curves import row
from trials.engine.initial_weights import initial_weights
from trials.engine.optimizers import learning_rate

EPOCHS = 4
STEPS_PER_EPOCH = 6
schedules = keras.optimizers.schedules


def fit(optimizer: keras.optimizers.Optimizer, class_weights: dict[int, float] | None = None) -> dict[str, list[float]]:
    data, model = digits(), mlp(4)
    model.set_weights(initial_weights(model, 3))
    compiled = "auto" if keras.backend.backend() == "jax" else False
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=compiled)
    logged: dict[str, list[float]] = model.fit(
        data.x_train,
        data.y_train,
        batch_size=32,
        epochs=EPOCHS,
        shuffle=False,
        validation_data=(data.x_validation, data.y_validation),
        class_weight=class_weights,
        verbose=0,
    ).history
    return logged


OPTIMIZERS: list[tuple[str, Optimizer, Callable[[], keras.optimizers.Optimizer]]] = [
    ("sgd", Optimizer(name="sgd", learning_rate=0.1), lambda: keras.optimizers.SGD(0.1)),
    (
        "momentum and decay",
        Optimizer(name="sgd", learning_rate=0.1, momentum=0.9, weight_decay=0.01),
        lambda: keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.01),
    ),
    (
        "nesterov",
        Optimizer(name="sgd", learning_rate=0.1, momentum=0.9, nesterov=True),
        lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    ),
    ("adam", Optimizer(learning_rate=0.01), lambda: keras.optimizers.Adam(0.01)),
    ("adamw", Optimizer(name="adamw", learning_rate=0.01), lambda: keras.optimizers.AdamW(0.01)),
    (
        "rmsprop",
        Optimizer(name="rmsprop", learning_rate=0.01, momentum=0.5),
        lambda: keras.optimizers.RMSprop(0.01, momentum=0.5),
    ),
    ("lion", Optimizer(name="lion", learning_rate=0.003), lambda: keras.optimizers.Lion(0.003)),
    (
        "cosine",
        Optimizer(name="sgd", learning_rate=0.5, schedule=Cosine(name="cosine", final_fraction=0.1)),
        lambda: keras.optimizers.SGD(schedules.CosineDecay(0.5, EPOCHS * STEPS_PER_EPOCH, alpha=0.1)),
    ),
]


@pytest.mark.parametrize(("asked", "theirs"), [row[1:] for row in OPTIMIZERS], ids=[row[0] for row in OPTIMIZERS])
def test_curve_equals_that_of_fit(asked: Optimizer, theirs: Callable[[], keras.optimizers.Optimizer]) -> None:
    expected = fit(theirs())
    asked_cohort = cohort([lane(0, 3)], epochs=EPOCHS, shuffle=False, optimizer=asked, grafts=())
    curve = drive(asked_cohort, digits(), mlp(4)).curves[0]
    np.testing.assert_allclose(row(curve, "running_loss"), expected["loss"], rtol=1e-5)
    np.testing.assert_allclose(row(curve, "validation_loss"), expected["val_loss"], rtol=1e-5)


def test_balanced_class_weights_equal_those_of_fit() -> None:
    labels = digits().y_train
    weights = compute_class_weight("balanced", classes=np.arange(10), y=labels)
    expected = fit(keras.optimizers.Adam(0.01), dict(enumerate(weights)))
    asked = cohort(
        [lane(0, 3)],
        epochs=EPOCHS,
        shuffle=False,
        optimizer=Optimizer(learning_rate=0.01),
        grafts=(),
        class_weights="balanced",
    )
    curve = drive(asked, digits(), mlp(4)).curves[0]
    np.testing.assert_allclose(row(curve, "running_loss"), expected["loss"], rtol=1e-5)
    np.testing.assert_allclose(row(curve, "validation_loss"), expected["val_loss"], rtol=1e-5)


def rates(schedule: Any) -> list[float]:
    """The learning rate at the first step of each epoch and at the last step of the training."""
    rate = learning_rate(Optimizer(learning_rate=0.8, schedule=schedule), EPOCHS, STEPS_PER_EPOCH)
    if isinstance(rate, float):
        return [rate] * (EPOCHS + 1)
    steps = [*range(0, EPOCHS * STEPS_PER_EPOCH, STEPS_PER_EPOCH), EPOCHS * STEPS_PER_EPOCH - 1]
    return [float(keras.ops.convert_to_numpy(rate(keras.ops.convert_to_tensor(step)))) for step in steps]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.8, 0.8, 0.8, 0.8, 0.8]),
        (Exponential(name="exponential", rate=0.5), [0.8, 0.4, 0.2, 0.1, 0.1 * 0.5 ** (5 / 6)]),
        (Exponential(name="exponential", rate=0.5, every_epochs=2, staircase=True), [0.8, 0.8, 0.4, 0.4, 0.4]),
        (Piecewise(name="piecewise", epochs=(1, 3), factors=(0.5, 0.1)), [0.8, 0.4, 0.4, 0.08, 0.08]),
        (Cosine(name="cosine", epochs=2), [0.8, 0.4, 0.0, 0.0, 0.0]),
    ],
    ids=["constant", "exponential", "staircase", "piecewise", "cosine"],
)
def test_schedules_change_the_rate_at_the_epochs_they_name(schedule: Any, expected: list[float]) -> None:
    assert rates(schedule) == pytest.approx(expected, abs=1e-6)
