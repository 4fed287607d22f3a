"""Initial weights: one stream of numbers per lane seed and place in the model."""

from typing import Any

import keras
import numpy as np

from tests.trials.engine.cohorts import mlp
from trials.engine.initial_weights import initial_weights
from trials.engine.initializers import Array
from trials.grafting import graft


def named(model: keras.Model, seed: int = 1) -> dict[str, Array]:
    pairs = zip(model.variables, initial_weights(model, seed), strict=True)
    return {variable.path: value for variable, value in pairs}


def everything() -> keras.Model:
    """Nested, wrapped and attention layers; what a model of one's own may hold."""
    tokens = keras.Input((6,))
    x = keras.layers.Embedding(20, 8, name="embedding")(tokens)
    x = keras.layers.MultiHeadAttention(2, 4, dropout=0.5, name="attention")(x, x)
    x = keras.layers.Bidirectional(keras.layers.LSTM(5, return_sequences=True), name="bidirectional")(x)
    x = keras.layers.TimeDistributed(keras.layers.Dense(6), name="over_time")(x)
    x = keras.layers.SeparableConv1D(7, 3, name="separable")(x)
    x = keras.layers.DepthwiseConv1D(3, name="depthwise")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    block = keras.Sequential([keras.Input((7,)), keras.layers.Dense(4, name="inner")], name="block")
    x = block(keras.layers.GlobalAveragePooling1D()(x))
    return keras.Model(tokens, keras.layers.Dense(3, name="logits")(x))


def test_every_random_weight_is_drawn_anew_for_every_seed() -> None:
    model = everything()
    one, other = named(model, 1), named(model, 2)
    constant = ("bias", "gamma", "beta", "moving_mean", "moving_variance")
    for path, value in one.items():
        same = np.array_equal(value, other[path])
        assert same == path.endswith(constant), path


def test_weights_follow_the_place_in_the_model_and_not_a_counter_of_the_process() -> None:
    def unnamed() -> keras.Model:
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(5), keras.layers.Dense(3)])

    first, second = unnamed(), unnamed()
    assert first.variables[0].path != second.variables[0].path
    for one, other in zip(initial_weights(first, 3), initial_weights(second, 3), strict=True):
        np.testing.assert_array_equal(one, other)


def test_equal_layers_of_one_model_start_unequally() -> None:
    weights = named(mlp(64, 64, 64))
    assert not np.array_equal(weights["hidden_2/kernel"], weights["hidden_3/kernel"])


def test_lstm_starts_with_orthogonal_recurrence_and_an_open_forget_gate() -> None:
    weights = named(everything())
    path = next(path for path in weights if path.endswith("recurrent_kernel"))
    recurrent, bias = weights[path], weights[path.replace("recurrent_kernel", "bias")]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(5), atol=1e-5)
    np.testing.assert_array_equal(bias, [0] * 5 + [1] * 5 + [0] * 10)


def test_moving_statistics_start_as_keras_starts_them() -> None:
    model = everything()
    model.get_layer("norm").moving_mean.assign(np.full(7, 9.0, np.float32))
    weights = named(model)
    np.testing.assert_array_equal(weights["norm/moving_mean"], np.zeros(7))
    np.testing.assert_array_equal(weights["norm/moving_variance"], np.ones(7))


def test_frozen_layers_keep_their_weights() -> None:
    model = mlp(8, 6)
    model.get_layer("hidden_1").trainable = False
    built = model.get_layer("hidden_1").get_weights()
    weights = named(model)
    np.testing.assert_array_equal(weights["hidden_1/kernel"], built[0])
    assert not np.array_equal(weights["hidden_2/kernel"], model.get_layer("hidden_2").get_weights()[0])


class Scale(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A layer of one's own, whose initializer nobody kept."""

    def build(self, input_shape: Any) -> None:
        self.factors = self.add_weight(shape=(input_shape[-1],), initializer="random_normal")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factors


def test_weights_of_unknown_origin_are_the_built_numbers_in_an_order_of_the_seeds() -> None:
    model = keras.Sequential([keras.Input((50,)), Scale()])
    built = model.get_weights()[0]
    one, same, other = (initial_weights(model, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(np.sort(one), np.sort(built))


def test_grafting_changes_no_initial_weight_even_of_parallel_branches() -> None:
    inputs = keras.Input((4,))
    right = keras.layers.Dense(8, name="right")(inputs)
    left = keras.layers.Dense(8, name="left")(inputs)
    right = keras.layers.Activation("relu")(right)
    model = keras.Model(inputs, keras.layers.Dense(3, name="logits")(keras.layers.Add()([left, right])))
    plain = named(model)
    grafted = graft(model, ("dropout",), {}).model
    after = dict(zip((v.path for v in grafted.variables), initial_weights(grafted, 1, original=model), strict=True))
    for path, value in plain.items():
        np.testing.assert_array_equal(after[path], value)


def test_numbers_are_the_same_on_every_backend_and_stay_the_same() -> None:
    weights = initial_weights(mlp(16, 8), 3)
    np.testing.assert_allclose(weights[0].ravel()[:2], [0.170618, -0.226949], atol=1e-6)
    np.testing.assert_allclose(weights[2].ravel()[:2], [0.344360, -0.474460], atol=1e-6)
