"""Recurrent models in the lanes engine: against Keras' `fit`, and with recurrent dropout."""

from functools import cache

import keras
import numpy as np

from search_spaces.models import Recurrent
from tests.trials.engine.cohorts import Outcome, cohort, digits, drive
from trials.curves import row
from trials.engine.initial_weights import initial_weights
from trials.models import build
from trials.protocol import Lane, Reader

MODEL = Recurrent(units=(6,))
SEED = 3
RATES = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5)]
"""On the state and on the inputs, lane by lane."""


def model() -> keras.Model:
    return build(MODEL, (8, 8, 1), 10)


@cache
def trained() -> Outcome:
    lanes = [
        Lane(
            lane_id=number,
            seed=SEED,
            settings={"recurrent_dropout.rate": rate, "recurrent_dropout.input_rate": input_rate},
            readers=(Reader(replicate_id=number),),
        )
        for number, (rate, input_rate) in enumerate(RATES)
    ]
    return drive(cohort(lanes, shuffle=False, model=MODEL, grafts=("recurrent_dropout",)), digits(), model())


def test_without_dropout_the_curve_equals_that_of_fit() -> None:
    data, stock = digits(), model()
    for variable, value in zip(stock.variables, initial_weights(stock, SEED), strict=True):
        variable.assign(value)
    stock.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    validation = (data.x_validation, data.y_validation)
    logged = stock.fit(
        data.x_train, data.y_train, batch_size=32, epochs=8, shuffle=False, validation_data=validation, verbose=0
    ).history

    curve = trained().curves[0]

    np.testing.assert_allclose(row(curve, "running_loss"), logged["loss"], rtol=5e-6)
    np.testing.assert_allclose(row(curve, "validation_loss"), logged["val_loss"], rtol=5e-6)
    np.testing.assert_allclose(row(curve, "validation_accuracy"), logged["val_accuracy"], atol=1e-6)


def test_dropout_on_the_state_and_on_the_inputs_each_change_the_training() -> None:
    without, state, inputs = (row(trained().curves[number], "running_loss") for number in range(3))
    for one, other in ((state, without), (inputs, without), (inputs, state)):
        assert np.abs(one - other).max() > 1e-3
