"""Stock random layers on the lane's key: Keras' formulas, our draws."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import ops
from scipy import stats

from trials.engine.backends import current_backend
from trials.engine.lane_scope import LaneScope, lane_scope
from trials.engine.random_bits import Key, fold, normal, uniform
from trials.layers import LaneGaussianNoise, use_lane_draws
from trials.layers.stock import STOCK_STREAM

Array = npt.NDArray[Any]


def key() -> Key:
    low, high = (ops.convert_to_tensor(word, "uint32") for word in (7, 11))
    return Key(low, high)


def prepared(layer: keras.layers.Layer, shape: tuple[int, ...]) -> keras.Model:
    model = keras.Sequential([keras.Input(shape), layer])
    assert use_lane_draws(model) == 1
    return model


def trained(model: keras.Model, x: Array, **knobs: float) -> Array:
    with lane_scope(LaneScope(key(), {name: ops.convert_to_tensor(value) for name, value in knobs.items()})):
        return np.asarray(ops.convert_to_numpy(model(x, training=True)))


def draws(shape: tuple[int, ...]) -> Array:
    return np.asarray(ops.convert_to_numpy(uniform(fold(key(), STOCK_STREAM), shape)))


def normals(shape: tuple[int, ...]) -> Array:
    return np.asarray(ops.convert_to_numpy(normal(fold(key(), STOCK_STREAM), shape)))


def dropped(x: Array, rate: float, shape: tuple[int, ...]) -> Array:
    return np.where(draws(shape) >= rate, x / (1 - rate), 0)


def alpha_dropped(x: Array, rate: float) -> Array:
    saturation = -1.7580993408473766
    kept = draws(x.shape) >= rate
    a = ((1 - rate) * (1 + rate * saturation**2)) ** -0.5
    return np.asarray(a * (x * kept + saturation * (1 - kept)) - a * saturation * rate)


FORMULAS: list[tuple[str, Callable[[], keras.layers.Layer], tuple[int, ...], Callable[[Array], Array]]] = [
    ("dropout", lambda: keras.layers.Dropout(0.4), (9, 3), lambda x: dropped(x, 0.4, x.shape)),
    (
        "dropout with a noise shape",
        lambda: keras.layers.Dropout(0.4, noise_shape=(None, 1, 3)),
        (5, 3),
        lambda x: dropped(x, 0.4, (len(x), 1, 3)),
    ),
    ("spatial 1d", lambda: keras.layers.SpatialDropout1D(0.4), (5, 3), lambda x: dropped(x, 0.4, (len(x), 1, 3))),
    ("spatial 2d", lambda: keras.layers.SpatialDropout2D(0.3), (4, 5, 3), lambda x: dropped(x, 0.3, (len(x), 1, 1, 3))),
    (
        "spatial 2d, channels first",
        lambda: keras.layers.SpatialDropout2D(0.3, data_format="channels_first"),
        (3, 4, 5),
        lambda x: dropped(x, 0.3, (len(x), 3, 1, 1)),
    ),
    (
        "spatial 3d",
        lambda: keras.layers.SpatialDropout3D(0.5),
        (2, 3, 4, 3),
        lambda x: dropped(x, 0.5, (len(x), 1, 1, 1, 3)),
    ),
    ("alpha dropout", lambda: keras.layers.AlphaDropout(0.3), (8,), lambda x: alpha_dropped(x, 0.3)),
    ("gaussian noise", lambda: keras.layers.GaussianNoise(0.7), (8,), lambda x: x + 0.7 * normals(x.shape)),
    ("gaussian dropout", lambda: keras.layers.GaussianDropout(0.2), (8,), lambda x: x * (1 + 0.5 * normals(x.shape))),
]


@pytest.mark.parametrize(("make", "shape", "formula"), [row[1:] for row in FORMULAS], ids=[row[0] for row in FORMULAS])
def test_output_is_the_formula_of_keras_on_the_draws_of_the_lane(
    make: Callable[[], keras.layers.Layer], shape: tuple[int, ...], formula: Callable[[Array], Array]
) -> None:
    x = np.random.default_rng(1).normal(size=(6, *shape)).astype(np.float32)
    model = prepared(make(), shape)
    np.testing.assert_allclose(trained(model, x), formula(x), rtol=2e-6, atol=2e-6)
    np.testing.assert_array_equal(np.asarray(ops.convert_to_numpy(model(x, training=False))), x)


@pytest.mark.parametrize(("make", "shape", "formula"), [row[1:] for row in FORMULAS], ids=[row[0] for row in FORMULAS])
def test_gradient_is_that_of_the_formula(
    make: Callable[[], keras.layers.Layer], shape: tuple[int, ...], formula: Callable[[Array], Array]
) -> None:
    random = np.random.default_rng(2)
    x, towards = (random.normal(size=(6, *shape)).astype(np.float32) for _ in range(2))
    model = prepared(make(), shape)

    def loss(variables: list[Any]) -> tuple[Any, None]:
        with lane_scope(LaneScope(key(), {})):
            return ops.sum(model(variables[0], training=True) * towards), None

    _, gradients = current_backend().value_and_gradients(loss, [ops.convert_to_tensor(x)])
    slope = formula(np.ones_like(x)) - formula(np.zeros_like(x))  # every formula is affine in its input
    np.testing.assert_allclose(ops.convert_to_numpy(gradients[0]), towards * slope, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.Dropout(0.0),
        lambda: keras.layers.SpatialDropout1D(0.0),
        lambda: keras.layers.AlphaDropout(0.0),
        lambda: keras.layers.GaussianDropout(0.0),
        lambda: keras.layers.GaussianNoise(0.0),
    ],
    ids=["dropout", "spatial", "alpha", "gaussian dropout", "gaussian noise"],
)
def test_off_is_exactly_the_identity(make: Callable[[], keras.layers.Layer]) -> None:
    x = np.random.default_rng(1).normal(size=(6, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(trained(prepared(make(), (4, 3)), x), x)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_share_it_should(rate: float) -> None:
    x = np.ones((200, 500), np.float32)
    kept = trained(prepared(keras.layers.Dropout(rate), (500,)), x) != 0
    assert stats.binomtest(int(kept.sum()), kept.size, 1 - rate).pvalue > 1e-4
    assert stats.chisquare(kept.sum(axis=0)).pvalue > 1e-4
    assert stats.chisquare(kept.sum(axis=1)).pvalue > 1e-4


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = np.random.default_rng(0).standard_normal((400, 500)).astype(np.float32)
    y = trained(prepared(keras.layers.AlphaDropout(0.3), (500,)), x)
    assert abs(y.mean()) < 0.02
    assert y.var() == pytest.approx(1.0, abs=0.03)


def test_a_strength_may_be_a_knob_of_the_lane() -> None:
    x = np.zeros((50, 100), np.float32)
    model = keras.Sequential([keras.Input((100,)), LaneGaussianNoise(0, "noise.stddev")])
    weak, strong = (trained(model, x, **{"noise.stddev": stddev}) for stddev in (0.1, 0.4))
    np.testing.assert_allclose(strong, 4 * weak, rtol=1e-5)
    np.testing.assert_array_equal(trained(model, x, **{"noise.stddev": 0.0}), x)


def test_layers_of_one_model_and_calls_of_one_layer_draw_differently() -> None:
    inputs = keras.Input((400,))
    shared = keras.layers.Dropout(0.5)
    parts = [shared(inputs), shared(inputs), keras.layers.Dropout(0.5)(inputs)]
    model = keras.Model(inputs, keras.layers.Concatenate()(parts))
    assert use_lane_draws(model) == 2
    masks = np.split(trained(model, np.ones((20, 400), np.float32)) != 0, 3, axis=1)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert abs((masks[one] == masks[other]).mean() - 0.5) < 4 * 0.5 / np.sqrt(8000)


class Block(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A layer of one's own with dropout inside."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = [keras.layers.Dropout(0.5)]

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.parts[0](inputs, training=training)


@pytest.mark.parametrize(
    "outer",
    [Block, lambda: keras.Sequential([keras.Input((30,)), keras.layers.Dropout(0.5)])],
    ids=["own layer", "nested model"],
)
def test_dropout_inside_other_layers_draws_from_the_lane(outer: Callable[[], keras.layers.Layer]) -> None:
    x = np.ones((40, 30), np.float32)
    model = prepared(outer(), (30,))
    np.testing.assert_allclose(trained(model, x), dropped(x, 0.5, x.shape))


class OwnDropout(keras.layers.Dropout):  # type: ignore[misc]  # keras ships no types
    """Drops by a rule of its own."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        return inputs * 0 if training else inputs


def test_a_subclass_keeps_its_own_rule() -> None:
    model = keras.Sequential([keras.Input((3,)), OwnDropout(0.5)])
    assert use_lane_draws(model) == 0
    np.testing.assert_array_equal(trained(model, np.ones((2, 3), np.float32)), np.zeros((2, 3)))


def test_outside_the_engine_the_layer_stays_the_stock_layer() -> None:
    x = np.ones((100, 100), np.float32)
    y = np.asarray(ops.convert_to_numpy(prepared(keras.layers.Dropout(0.5), (100,))(x, training=True)))
    assert 0.4 < (y == 0).mean() < 0.6
