"""The CPU forms of convolution and pooling against Keras' layers, forward and gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trials.engine.fast_layers import for_cpu
from trials.engine.fast_layers.convolution import MatmulConv2D
from trials.engine.fast_layers.pooling import ReshapeMaxPooling2D


def outputs_and_gradients(model: keras.Model, x: tf.Tensor) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x)
        loss = tf.reduce_sum(y * tf.cos(tf.cast(tf.reshape(tf.range(tf.size(y)), tf.shape(y)), tf.float32)))
    return [y, *tape.gradient(loss, [x, *model.trainable_variables])]


@settings(max_examples=15, deadline=None)
@given(
    size=st.tuples(st.integers(5, 11), st.integers(5, 11)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    channels=st.integers(1, 3),
    padding=st.sampled_from(["same", "valid"]),
    use_bias=st.booleans(),
    pool=st.sampled_from([(2, 2), (3, 2), (1, 2)]),
)
def test_cpu_forms_equal_the_keras_layers_forward_and_backward(
    size: tuple[int, int], kernel: tuple[int, int], channels: int, padding: str, use_bias: bool, pool: tuple[int, int]
) -> None:
    inputs = keras.Input((*size, channels))
    x = keras.layers.Conv2D(4, kernel, padding=padding, use_bias=use_bias, activation="tanh")(inputs)
    if min(x.shape[1] // pool[0], x.shape[2] // pool[1]) < 1:
        return
    model = keras.Model(inputs, keras.layers.MaxPooling2D(pool)(x))
    fast = for_cpu(model)
    assert [type(layer) for layer in fast.layers[1:]] == [MatmulConv2D, ReshapeMaxPooling2D]
    data = tf.constant(np.random.default_rng(0).normal(size=(3, *size, channels)).astype(np.float32))
    for ours, theirs in zip(outputs_and_gradients(fast, data), outputs_and_gradients(model, data), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Conv2D(2, 3, strides=2),
        keras.layers.Conv2D(2, 3, dilation_rate=2),
        keras.layers.MaxPooling2D(3, strides=1),
        keras.layers.MaxPooling2D(2, padding="same"),
    ],
    ids=["strided", "dilated", "overlapping", "padded pooling"],
)
def test_other_forms_are_left_to_keras(layer: keras.layers.Layer) -> None:
    inputs = keras.Input((9, 9, 1))
    assert type(for_cpu(keras.Model(inputs, layer(inputs))).layers[1]) is type(layer)
