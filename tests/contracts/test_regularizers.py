"""What every regularizer promises: off is off, on it does what it declares, and neighbours do not matter.

All regularizers that a model has a place for are put into one program, so that each is also off beside the others.
"""

import numpy as np
import pytest
from keras import ops

from tests.contracts.regularizer_cases import CASES, MODELS, STRUCTURE_ON, train, trained
from tests.contracts.regularizer_effects import EFFECTS, applied, array, changed, knobs
from tests.trials.engine.cohorts import Outcome
from trials.curves import row
from trials.regularizers import TREATMENTS
from trials.regularizers.base import LayerTreatment

RANDOM = np.random.default_rng(1)
IMAGES, TARGETS, KERNEL = RANDOM.random((6, 5, 4, 2)), np.eye(3)[RANDOM.integers(0, 3, 6)], RANDOM.normal(size=(4, 3))
WITH_KERAS = [name for name, case in CASES.items() if case.keras is not None]


@pytest.fixture(scope="module")
def structured() -> Outcome:
    """What is structural, on: nothing else, then dropout beside it."""
    return train("mlp", [{}, CASES["dropout"].on], ("dropout", "batch_norm", "monte_carlo_dropout"), STRUCTURE_ON)


def test_every_regularizer_has_an_entry() -> None:
    assert set(CASES) == set(EFFECTS) == set(TREATMENTS)


@pytest.mark.parametrize("model", MODELS)
def test_off_equals_the_untouched_model(model: str) -> None:
    """But for the order in which a program adds numbers up; that the hooks change no bit is another test."""
    np.testing.assert_allclose(trained(model).off, trained(model).untouched, rtol=1e-6)


@pytest.mark.parametrize("name", TREATMENTS)
def test_every_hook_gives_back_what_it_was_given_where_the_regularizer_is_off(name: str) -> None:
    treatment = TREATMENTS[name]({})
    off = knobs(treatment, {})
    images, targets, kernel = (values.astype(np.float32) for values in (IMAGES, TARGETS, KERNEL))
    after = changed(name, images, targets, {})
    np.testing.assert_array_equal(after[0], images)
    np.testing.assert_array_equal(after[1], targets)
    tensor = ops.convert_to_tensor(kernel)
    penalty = treatment.penalty([tensor], off)
    assert penalty is None or float(array(penalty)) == 0
    for weights in (
        treatment.decay(tensor, ops.convert_to_tensor(0.1), off),
        treatment.constrain(tensor, off),
        treatment.average(tensor * 2, tensor, ops.zeros((), "bool"), off),
    ):
        np.testing.assert_array_equal(array(weights), kernel)
    if isinstance(treatment, LayerTreatment) and name != "batch_norm":
        np.testing.assert_array_equal(applied(name, images, {}), images)


@pytest.mark.parametrize("model", MODELS)
def test_every_regularizer_that_is_on_changes_the_training_in_its_own_way(model: str) -> None:
    curves = [curve.tobytes() for curve in (trained(model).off, *trained(model).on.values())]
    assert len(curves) > 1
    assert len(set(curves)) == len(curves)


@pytest.mark.parametrize("model", MODELS)
def test_a_lane_among_unlike_lanes_equals_the_same_lane_alone(model: str) -> None:
    for name, curve in trained(model).on.items():
        np.testing.assert_array_equal(curve, trained(model).alone[name], err_msg=name)


@pytest.mark.parametrize("model", MODELS)
def test_one_program_serves_all_strengths(model: str) -> None:
    assert trained(model).compilations == 1


@pytest.mark.parametrize("name", WITH_KERAS)
def test_one_lane_equals_stock_keras(name: str, structured: Outcome) -> None:
    case = CASES[name]
    assert case.keras is not None
    curve = trained(case.model).on[name] if case.on else structured.curves[0]
    expected = case.keras.logged()
    np.testing.assert_allclose(row(curve, "running_loss"), expected["loss"], rtol=1e-5)
    np.testing.assert_allclose(row(curve, "running_accuracy"), expected["accuracy"], atol=1e-6)
    np.testing.assert_allclose(row(curve, "validation_accuracy"), expected["val_accuracy"], atol=1e-6)
    if case.keras.validation_rtol is not None:
        np.testing.assert_allclose(row(curve, "validation_loss"), expected["val_loss"], rtol=case.keras.validation_rtol)


def test_what_is_structural_acts_beside_what_is_not(structured: Outcome) -> None:
    assert not np.array_equal(row(structured.curves[0], "running_loss"), row(trained("mlp").off, "running_loss"))
    assert not np.array_equal(row(structured.curves[0], "running_loss"), row(structured.curves[1], "running_loss"))


def test_averages_of_weights_leave_the_training_itself_alone() -> None:
    averaged = trained("mlp").on["ema"]
    np.testing.assert_array_equal(row(averaged, "running_loss"), row(trained("mlp").off, "running_loss"))


@pytest.mark.parametrize("name", TREATMENTS)
def test_the_declared_effect_happens(name: str) -> None:
    EFFECTS[name]()
