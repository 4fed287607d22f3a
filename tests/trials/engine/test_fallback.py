"""Models that XLA refuses are trained in a slower way, and the report says so."""

from typing import Any

import keras
import numpy as np
import pytest

from tests.trials.engine.cohorts import Outcome, cohort, digits, drive, lane, mlp
from trials.curves import row
from trials.engine.backends import current_backend
from trials.engine.fallback import FirstWay
from trials.errors import InfeasibleCohortError

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


class HostCode(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Calls NumPy in the middle of the model, as XLA cannot and a graph can."""

    def call(self, inputs: Any) -> Any:
        import tensorflow as tf

        outputs = tf.numpy_function(lambda x: x * np.float32(2), [inputs], tf.float32)
        outputs.set_shape(inputs.shape)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class NeedsNumbers(HostCode):
    """Looks at the numbers themselves, as no graph can."""

    def call(self, inputs: Any) -> Any:
        return keras.ops.convert_to_tensor(inputs.numpy() * np.float32(2))


def doubled(layer: keras.layers.Layer) -> keras.Model:
    plain = mlp(4)
    inputs = keras.Input((8, 8, 1))
    return keras.Model(inputs, plain(layer(inputs)))


def trained(model: keras.Model, units: int) -> Outcome:
    asked = cohort([lane(0, 1)], epochs=2, batch_size=100, grafts=(), model={"family": "mlp", "hidden_units": [units]})
    return drive(asked, digits(), model)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="JAX has no other way than XLA")
@pytest.mark.parametrize(("layer", "way"), [(HostCode, "graph"), (NeedsNumbers, "eager")])
def test_a_model_that_xla_refuses_is_trained_in_another_way_to_the_same_curve(
    layer: type[keras.layers.Layer], way: str
) -> None:
    other = trained(doubled(layer()), {"graph": 31, "eager": 32}[way])
    compiled = trained(doubled(keras.layers.Rescaling(2.0)), 33)
    assert {report.trained_by for report in other.reports} == {f"lane-major, {way} (tensorflow)"}
    assert {report.trained_by for report in compiled.reports} == {"lane-major, XLA (tensorflow)"}
    for name in ("running_loss", "validation_loss"):
        np.testing.assert_allclose(row(other.curves[0], name), row(compiled.curves[0], name), rtol=1e-5)


def test_a_model_that_no_way_can_run_is_refused_with_what_the_first_one_said() -> None:
    def broken(_: Any) -> Any:
        raise ValueError("the layer is broken")

    with pytest.raises(InfeasibleCohortError, match=r"cannot be trained on \w+: ValueError: the layer is broken"):
        FirstWay(broken, current_backend())(np.zeros(3, np.float32))


def test_an_error_after_a_first_success_is_no_reason_to_look_for_another_way() -> None:
    def fails_on_pairs(x: Any) -> Any:
        if x.shape[0] == 2:
            raise ValueError("two rows")
        return x + 1

    program = FirstWay(fails_on_pairs, current_backend())
    program(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="two rows"):
        program(np.zeros(2, np.float32))
    assert program.name == "XLA"


def test_exhausted_memory_is_no_reason_to_look_for_another_way() -> None:
    def exhausted(_: Any) -> Any:
        raise ValueError("RESOURCE_EXHAUSTED: no memory for 4 GiB")

    program = FirstWay(exhausted, current_backend())
    with pytest.raises(ValueError, match="no memory"):
        program(np.zeros(3, np.float32))
    assert program.name == "XLA"
