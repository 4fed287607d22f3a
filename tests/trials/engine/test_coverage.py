"""Which Keras layers the compiled step trains: small models of many layers each, against `fit` and themselves."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from search_spaces.optimizers import Optimizer
from tests.trials.engine.cohorts import Outcome, cohort, drive, lane
from trials.curves import row
from trials.datasets.dataset import Dataset
from trials.engine.initial_weights import initial_weights

N_TOKENS = 12
ON_JAX = keras.backend.backend() == "jax"


def classes(*shape: int, tokens: bool = False) -> Dataset:
    """Three classes that differ in their mean; token sequences end with padding."""
    random = np.random.default_rng(0)

    def part(n: int) -> tuple[Any, Any]:
        y = random.integers(0, 3, n).astype(np.int32)
        x: Any = random.normal(size=(n, *shape)) + y.reshape(-1, *[1] * len(shape))
        if tokens:
            x = random.integers(1, N_TOKENS, (n, *shape)) * (np.arange(shape[0]) < shape[0] - y[:, None])
        return x.astype(np.float32), y

    (x_train, y_train), (x_other, y_other) = part(16), part(10)
    return Dataset(
        x_train=x_train,
        y_train=y_train,
        x_validation=x_other,
        y_validation=y_other,
        x_test=x_other,
        y_test=y_other,
        n_classes=3,
    )


def graph(data: Dataset, body: Callable[[Any], Any]) -> keras.Model:
    inputs = keras.Input(data.input_shape)
    return keras.Model(inputs, layers.Dense(3)(body(inputs)))


def images(x: Any) -> Any:
    """Convolutions and poolings of two dimensions, normalizations, a residual sum, a concatenation."""
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    x = layers.Activation("relu")(layers.BatchNormalization(momentum=0.5)(x))
    x = layers.Add()([x, layers.SeparableConv2D(4, 3, padding="same")(x)])
    x = layers.Concatenate()([layers.MaxPooling2D(2)(x), layers.AveragePooling2D(2)(x)])
    x = layers.GroupNormalization(2)(layers.DepthwiseConv2D(2)(x))
    x = layers.Conv2DTranspose(3, 2, strides=2)(x)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    return layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])


def sequences(x: Any) -> Any:
    """One-dimensional convolutions, attention, recurrence in both directions."""
    x = layers.Conv1D(4, 3, padding="causal")(x)
    x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 3)(x, x)]))
    x = layers.Concatenate()([layers.SeparableConv1D(3, 2)(x), layers.DepthwiseConv1D(2)(x)])
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.TimeDistributed(layers.Dense(4, activation="tanh"))(x)
    pooled = layers.Concatenate()([layers.MaxPooling1D(2)(x), layers.AveragePooling1D(2)(x)])
    return layers.Concatenate()([layers.GlobalAveragePooling1D()(pooled), layers.GlobalMaxPooling1D()(x)])


def tokens(x: Any) -> Any:
    """Embeddings whose mask reaches recurrence and pooling."""
    x = layers.Embedding(N_TOKENS, 4, mask_zero=True)(x)
    return layers.Concatenate()([layers.GRU(3)(x), layers.GlobalAveragePooling1D()(x)])


def volumes(x: Any) -> Any:
    """Convolutions and poolings of three dimensions."""
    x = layers.Conv3D(3, 2, padding="same", activation="relu")(x)
    x = layers.Concatenate()([layers.MaxPooling3D(2)(x), layers.AveragePooling3D(2)(x)])
    return layers.GlobalAveragePooling3D()(x)


def own_penalties(x: Any) -> Any:
    """Regularizers of weights and activities, and constraints, that the model brings with it."""
    bounded = keras.constraints.MaxNorm(0.6)
    x = layers.Dense(8, activation="relu", kernel_regularizer="l2", bias_regularizer="l1", kernel_constraint=bounded)(x)
    x = layers.PReLU()(
        layers.Dense(6, activity_regularizer=keras.regularizers.L2(0.1), kernel_constraint="unit_norm")(x)
    )
    return layers.Dense(4, kernel_regularizer=keras.regularizers.OrthogonalRegularizer())(x)


def nested(x: Any) -> Any:
    """Models within models, and a layer used twice."""
    inner = keras.Sequential([layers.Dense(6, activation="relu"), layers.BatchNormalization(momentum=0.5)])
    shared = layers.Dense(6, activation="tanh", use_bias=False)
    return shared(shared(inner(x)))


ZOO: list[tuple[str, Callable[[Any], Any], Dataset]] = [
    ("images", images, classes(6, 6, 2)),
    ("sequences", sequences, classes(5, 4)),
    ("tokens", tokens, classes(6, tokens=True)),
    ("volumes", volumes, classes(4, 4, 4, 2)),
    ("own penalties", own_penalties, classes(6)),
    ("nested", nested, classes(6)),
]
SGD = Optimizer(name="sgd", learning_rate=0.05, momentum=0.9)
"""Adam would turn the rounding of gradients that are zero, as a bias before batch normalization has, into steps."""


def fit(model: keras.Model, data: Dataset, seed: int) -> dict[str, list[float]]:
    for variable, value in zip(model.variables, initial_weights(model, seed), strict=True):
        variable.assign(value)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    compiled = "auto" if ON_JAX else False
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss, metrics=["accuracy"], jit_compile=compiled)
    logged: dict[str, list[float]] = model.fit(
        data.x_train,
        data.y_train,
        batch_size=8,
        epochs=2,
        shuffle=False,
        validation_data=(data.x_validation, data.y_validation),
        verbose=0,
    ).history
    return logged


def trained(model: keras.Model, data: Dataset, name: str, seeds: tuple[int, ...] = (3, 4)) -> Outcome:
    asked = cohort(
        [lane(i, seed) for i, seed in enumerate(seeds)],
        epochs=2,
        batch_size=8,
        shuffle=False,
        grafts=(),
        optimizer=SGD,
        model={"family": "mlp", "hidden_units": [1 + sum(map(ord, name))]},  # a program of its own
    )
    return drive(asked, data, model)


@pytest.mark.parametrize(("name", "body", "data"), ZOO, ids=[row[0] for row in ZOO])
def test_layers_are_trained_and_evaluated_as_by_fit(name: str, body: Callable[[Any], Any], data: Dataset) -> None:
    outcome = trained(graph(data, body), data, name)
    reference = graph(data, body)
    expected = fit(reference, data, 4)
    curve = outcome.curves[1]  # the second lane, so that state of the first would show
    np.testing.assert_allclose(row(curve, "running_loss"), expected["loss"], rtol=1e-5)
    np.testing.assert_allclose(row(curve, "running_accuracy"), expected["accuracy"], atol=1e-6)
    if name != "own penalties":  # Keras adds them to the validation loss too
        np.testing.assert_allclose(row(curve, "validation_loss"), expected["val_loss"], rtol=1e-5)
    assert all("XLA" in report.trained_by for report in outcome.reports)


class Block(layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A layer of one's own with a residual sum and dropout inside."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(4, activation="relu")
        self.dropout = layers.Dropout(0.3)

    def build(self, input_shape: Any) -> None:
        self.dense.build(input_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        return inputs + self.dropout(self.dense(inputs), training=training)


def disturbed(x: Any) -> Any:
    """Every kind of random layer, on its own and inside others."""
    x = layers.GaussianNoise(0.1)(layers.SpatialDropout1D(0.2)(x))
    x = layers.AlphaDropout(0.1)(layers.GaussianDropout(0.1)(layers.Dropout(0.2)(x)))
    x = layers.MultiHeadAttention(2, 3, dropout=0.3)(x, x)
    x = Block()(x)
    x = layers.Attention(dropout=0.2)([x, x])
    return layers.LSTM(3, dropout=0.2, recurrent_dropout=0.2)(x)


def test_random_layers_depend_on_the_seed_alone() -> None:
    data = classes(5, 4)
    together = trained(graph(data, disturbed), data, "disturbed", (1, 2, 1, 3)).curves
    np.testing.assert_array_equal(together[0], together[2])
    assert not np.array_equal(together[0], together[1])
    np.testing.assert_array_equal(trained(graph(data, disturbed), data, "disturbed", (2,)).curves[0], together[1])


class OwnModel(keras.Model):  # type: ignore[misc]  # keras ships no types
    """A model written as a class."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = layers.Dense(5, activation="relu")
        self.dropout = layers.Dropout(0.4)
        self.logits = layers.Dense(3)

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.logits(self.dropout(self.hidden(inputs), training=training))


def test_a_model_written_as_a_class_is_trained() -> None:
    data = classes(6)
    curves = trained(OwnModel(), data, "own model", (1, 1, 2)).curves
    np.testing.assert_array_equal(curves[0], curves[1])
    assert not np.array_equal(curves[0], curves[2])
    losses = row(curves[0], "running_loss")
    assert losses[-1] < losses[0]
