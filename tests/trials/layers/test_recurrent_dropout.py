"""Recurrent dropout by the lane's key."""

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from trials.engine.lane_scope import LaneScope, lane_scope
from trials.engine.random_bits import Key
from trials.layers.recurrent_dropout import LaneRecurrentDropout

Array = npt.NDArray[np.float32]

LAYERS = [
    lambda: keras.layers.LSTM(3),
    lambda: keras.layers.GRU(3, return_sequences=True),
    lambda: keras.layers.Bidirectional(keras.layers.LSTM(3)),
]
IDS = ["lstm", "gru", "both ways"]


def scope(rate: float = 0.0, input_rate: float = 0.0) -> LaneScope:
    words = [ops.convert_to_tensor(word, "uint32") for word in (7, 11)]
    knobs = {"recurrent_dropout.rate": rate, "recurrent_dropout.input_rate": input_rate}
    return LaneScope(Key(words[0], words[1]), {name: ops.convert_to_tensor(value) for name, value in knobs.items()})


def sequences(*shape: int) -> Array:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def lstm_by_hand(layer: keras.layers.LSTM, x: Array, input_masks: Array, state_masks: Array) -> Array:
    """Hochreiter's formulas gate by gate; masks are `(4, batch, width)`."""
    kernel, recurrent, bias = (np.split(weight, 4, axis=-1) for weight in layer.get_weights())
    h = c = np.zeros((len(x), layer.units))
    for step in np.moveaxis(x, 1, 0):
        z = [(step * input_masks[g]) @ kernel[g] + (h * state_masks[g]) @ recurrent[g] + bias[g] for g in range(4)]
        i, f, o = (1 / (1 + np.exp(-z[g])) for g in (0, 1, 3))
        c = f * c + i * np.tanh(z[2])
        h = o * np.tanh(c)
    return h.astype(np.float32)


def test_each_gate_sees_inputs_and_state_through_masks_that_stay_for_the_sequence() -> None:
    x, inner = sequences(5, 6, 4), keras.layers.LSTM(3)
    inner.build(x.shape)
    layer = LaneRecurrentDropout(inner, stream=0)
    with lane_scope(scope(0.4, 0.3)):
        input_masks, state_masks = (ops.convert_to_numpy(mask) for mask in layer.masks(0, ops.convert_to_tensor(x)))
    with lane_scope(scope(0.4, 0.3)):
        outputs = ops.convert_to_numpy(layer(x, training=True))
    np.testing.assert_allclose(outputs, lstm_by_hand(inner, x, input_masks, state_masks), atol=1e-6)


@pytest.mark.parametrize("make", LAYERS, ids=IDS)
def test_rates_of_zero_are_exactly_the_layer_with_masks_of_one(make: object) -> None:
    x, inner = sequences(4, 5, 2), make()  # type: ignore[operator]  # a table of builders
    expected = ops.convert_to_numpy(inner(x))
    layer = LaneRecurrentDropout(inner, stream=0)
    with lane_scope(scope()):
        np.testing.assert_allclose(ops.convert_to_numpy(layer(x, training=True)), expected, atol=1e-6)


@pytest.mark.parametrize("make", LAYERS, ids=IDS)
def test_inference_is_the_layer_even_after_training(make: object) -> None:
    x, inner = sequences(4, 5, 2), make()  # type: ignore[operator]  # a table of builders
    expected = ops.convert_to_numpy(inner(x))
    layer = LaneRecurrentDropout(inner, stream=0)
    with lane_scope(scope(0.5, 0.5)):
        disturbed = ops.convert_to_numpy(layer(x, training=True))
    assert np.abs(disturbed - expected).max() > 0.01
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x)), expected)


def test_masks_drop_the_asked_shares_and_scale_the_rest() -> None:
    inner = keras.layers.GRU(120)
    inner.build((90, 2, 80))
    with lane_scope(scope(0.2, 0.7)):
        masks = LaneRecurrentDropout(inner, stream=0).masks(0, ops.zeros((90, 2, 80)))
    for mask, rate in zip(map(ops.convert_to_numpy, masks), (0.7, 0.2), strict=True):
        assert abs((mask == 0).mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / mask.size)
        np.testing.assert_allclose(mask[mask > 0], 1 / (1 - rate), rtol=1e-6)


def test_gates_cells_and_layers_draw_masks_of_their_own() -> None:
    inner = keras.layers.Bidirectional(keras.layers.LSTM(40))
    inner.build((30, 2, 40))
    drawn: list[Array] = []
    with lane_scope(scope(0.5, 0.5)):
        for stream in (0, 4):
            layer = LaneRecurrentDropout(inner, stream)
            for cell_number in (0, 1):
                for masks in layer.masks(cell_number, ops.zeros((30, 2, 40))):
                    drawn += list(ops.convert_to_numpy(masks) > 0)
    assert len(drawn) == 2 * 2 * 2 * 4
    alike = [np.mean(one == other) for i, one in enumerate(drawn) for other in drawn[:i]]
    assert min(alike) > 0.4
    assert max(alike) < 0.6
