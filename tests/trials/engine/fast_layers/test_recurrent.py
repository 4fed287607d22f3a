"""The CPU forms of recurrent layers against Keras' layers, forward and gradient."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from keras import ops

from trials.engine.backends import current_backend
from trials.engine.fast_layers import for_cpu
from trials.engine.fast_layers.recurrent import FastBidirectional, FastRecurrent
from trials.engine.lane_scope import LaneScope, lane_scope
from trials.engine.random_bits import Key
from trials.grafting import graft

Array = npt.NDArray[np.float32]

ON_JAX = keras.backend.backend() == "jax"
"""JAX compiles every example, so that fewer are tried and none is shrunk."""
PHASES = [Phase.explicit, Phase.generate]

layers = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([keras.layers.LSTM, keras.layers.GRU]),
        "units": st.integers(1, 5),
        "return_sequences": st.booleans(),
        "go_backwards": st.booleans(),
        "use_bias": st.booleans(),
        "both_ways": st.sampled_from([None, "concat", "sum", "ave", "mul"]),
    }
)
shapes = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 4))


def model_of(asked: dict[str, Any], n_steps: int, n_features: int, *, masked: bool) -> keras.Model:
    options = dict(asked)
    kind, both_ways = options.pop("kind"), options.pop("both_ways")
    options["go_backwards"] &= both_ways is None
    layer = kind(**options)
    inputs = keras.Input((n_steps, n_features))
    x = keras.layers.Masking(0.0)(inputs) if masked else inputs
    outputs = (layer if both_ways is None else keras.layers.Bidirectional(layer, merge_mode=both_ways))(x)
    model = keras.Model(inputs, outputs)
    random = np.random.default_rng(1)
    for weight in model.trainable_variables:
        weight.assign(random.normal(size=weight.shape, scale=0.7))
    return model


def sequences(shape: tuple[int, int, int], *, masked: bool) -> Array:
    random = np.random.default_rng(0)
    x = random.normal(size=shape).astype(np.float32)
    return x * random.integers(0, 2, size=(*shape[:2], 1)).astype(np.float32) if masked else x


def outputs_and_gradients(model: keras.Model, x: Array, *, training: bool = False) -> list[Array]:
    """The outputs, and the gradients of inputs and weights of a sum that weighs each output differently."""
    words = [ops.convert_to_tensor(word, "uint32") for word in (7, 11)]
    knobs = {
        "recurrent_dropout.rate": ops.convert_to_tensor(0.4),
        "recurrent_dropout.input_rate": ops.convert_to_tensor(0.3),
    }

    def weighed(tensors: list[Any]) -> tuple[Any, Any]:
        states = [variable.value for variable in model.non_trainable_variables]
        with lane_scope(LaneScope(Key(words[0], words[1]), knobs)):
            y, _ = model.stateless_call(tensors[1:], states, tensors[0], training=training)
        weights = np.cos(np.arange(np.prod(y.shape))).reshape(y.shape).astype(np.float32)
        return ops.sum(y * weights), y

    tensors = [ops.convert_to_tensor(x), *(variable.value for variable in model.trainable_variables)]
    backend = current_backend()

    def both(tensors: list[Any]) -> list[Any]:
        (_, y), gradients = backend.value_and_gradients(weighed, tensors)
        return [y, *gradients]

    run = backend.compile_program(both) if ON_JAX else both
    return [ops.convert_to_numpy(tensor) for tensor in run(tensors)]


def fast_layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in model.layers if isinstance(layer, FastRecurrent | FastBidirectional)]


@settings(max_examples=4 if ON_JAX else 20, deadline=None, phases=PHASES)
@given(layers, shapes, st.booleans())
def test_fast_forms_equal_the_keras_layers_forward_and_backward(
    asked: dict[str, Any], shape: tuple[int, int, int], masked: bool
) -> None:
    model = model_of(asked, *shape[1:], masked=masked)
    fast, x = for_cpu(model), sequences(shape, masked=masked)
    assert len(fast_layers_of(fast)) == 1
    for ours, theirs in zip(outputs_and_gradients(fast, x), outputs_and_gradients(model, x), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@settings(max_examples=3 if ON_JAX else 12, deadline=None, phases=PHASES)
@given(layers, shapes, st.booleans())
def test_fast_forms_with_recurrent_dropout_equal_the_keras_layers_with_the_same_masks(
    asked: dict[str, Any], shape: tuple[int, int, int], masked: bool
) -> None:
    grafted = graft(model_of(asked, *shape[1:], masked=masked), ("recurrent_dropout",), {}).model
    fast, x = for_cpu(grafted), sequences(shape, masked=masked)
    assert len(fast_layers_of(fast)) == 1
    ours, theirs = (outputs_and_gradients(model, x, training=True) for model in (fast, grafted))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.LSTM(2, activation="relu"),
        keras.layers.GRU(2, recurrent_activation="hard_sigmoid"),
        keras.layers.GRU(2, reset_after=False),
        keras.layers.LSTM(2, unroll=True),
        keras.layers.LSTM(2, dropout=0.1),
        keras.layers.GRU(2, recurrent_dropout=0.1),
        keras.layers.Bidirectional(keras.layers.LSTM(2, activation="relu")),
        keras.layers.SimpleRNN(2),
    ],
    ids=[
        "other activation",
        "other gate activation",
        "reset before",
        "unrolled",
        "dropout of its own",
        "recurrent dropout of its own",
        "other activation both ways",
        "simple",
    ],
)
def test_other_recurrent_layers_are_left_to_keras(layer: keras.layers.Layer) -> None:
    inputs = keras.Input((4, 3))
    model = for_cpu(keras.Model(inputs, layer(inputs)))
    assert type(model.layers[-1]) is type(layer)


def test_a_layer_that_starts_from_a_given_state_is_left_to_keras() -> None:
    inputs = keras.Input((4, 3))
    state = keras.layers.GlobalAveragePooling1D()(inputs)
    model = for_cpu(keras.Model(inputs, keras.layers.GRU(3)(inputs, initial_state=state)))
    assert not fast_layers_of(model)


def test_stacked_layers_hand_gradients_on() -> None:
    inputs = keras.Input((5, 2))
    x = keras.layers.LSTM(3, return_sequences=True)(inputs)
    model = keras.Model(inputs, keras.layers.GRU(2)(x))
    fast, data = for_cpu(model), sequences((2, 5, 2), masked=False)
    assert len(fast_layers_of(fast)) == 2
    for ours, theirs in zip(outputs_and_gradients(fast, data), outputs_and_gradients(model, data), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
