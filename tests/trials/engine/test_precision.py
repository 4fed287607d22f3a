import contextlib

import keras
import numpy as np
import pytest

from tests.trials.engine.cohorts import cohort, convnet, digits, drive, lane
from trials.engine.training_program import training_program
from trials.precision import computing_in
from trials.protocol import Cohort


def mixed() -> Cohort:
    asked = cohort([lane(0, 1, dropout_rate=0.2)], epochs=6)
    return asked.model_copy(update={"training": asked.training.model_copy(update={"precision": "mixed_bfloat16"})})


def test_mixed_precision_trains_as_well_and_keeps_weights_in_float32() -> None:
    full = drive(cohort([lane(0, 1, dropout_rate=0.2)], epochs=6), digits(), convnet())
    with computing_in("mixed_bfloat16"):
        model = convnet()

    half = drive(mixed(), digits(), model)

    program = training_program(mixed(), digits(), model)
    assert {layer.compute_dtype for layer in program.model.layers} == {"bfloat16"}
    assert {tensor.dtype for tensor in program.start(lane(0), None).state[:-1]} >= {np.dtype(np.float32)}
    assert not np.array_equal(half.curves[0], full.curves[0])
    one, other = half.results[0].metrics, full.results[0].metrics
    assert one.train_loss == pytest.approx(other.train_loss, rel=0.1)


def test_the_policy_of_before_comes_back_even_after_an_error() -> None:
    before = keras.config.dtype_policy().name
    with contextlib.suppress(ZeroDivisionError), computing_in("mixed_bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        raise ZeroDivisionError
    assert keras.config.dtype_policy().name == before
