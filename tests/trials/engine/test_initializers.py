"""Standard initializers drawn with NumPy: Keras' distributions, the same numbers on every backend."""

from typing import Any

import keras
import numpy as np
import pytest
from scipy import stats

from trials.engine.initializers import draw, fans

SHAPES = [(60, 50), (3, 3, 8, 40), (2, 3, 3, 6, 20), (3000,)]
RANDOM: list[Any] = [
    keras.initializers.GlorotUniform,
    keras.initializers.GlorotNormal,
    keras.initializers.HeUniform,
    keras.initializers.HeNormal,
    keras.initializers.LecunUniform,
    keras.initializers.LecunNormal,
    keras.initializers.RandomUniform,
    keras.initializers.RandomNormal,
    keras.initializers.TruncatedNormal,
    lambda: keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal"),
    lambda: keras.initializers.VarianceScaling(0.5, "fan_avg", "uniform"),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("make", RANDOM, ids=lambda make: getattr(make, "__name__", "VarianceScaling"))
def test_drawn_weights_have_the_distribution_of_keras(make: Any, shape: tuple[int, ...]) -> None:
    ours = draw(make(), shape, "float32", np.random.SeedSequence(5)).ravel()
    initializer = make()
    initializer.seed = 11
    theirs = np.asarray(keras.ops.convert_to_numpy(initializer(shape))).ravel()
    assert ours.dtype == np.float32
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-4
    scale = theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 6 * scale / np.sqrt(ours.size)
    assert ours.std() == pytest.approx(scale, rel=0.08)
    assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.35)


@pytest.mark.parametrize("shape", [(40, 40), (20, 80), (80, 20), (3, 3, 4, 16)], ids=str)
def test_orthogonal_weights_are_orthogonal_and_scaled_by_their_gain(shape: tuple[int, ...]) -> None:
    drawn = draw(keras.initializers.Orthogonal(gain=2.0), shape, "float32", np.random.SeedSequence(1))
    flat = drawn.reshape(-1, shape[-1])
    small = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
    assert drawn.shape == shape
    np.testing.assert_allclose(small, 4 * np.eye(small.shape[0]), atol=2e-5)


def test_orthogonal_weights_prefer_no_direction() -> None:
    corners = [
        draw(keras.initializers.Orthogonal(), (3, 3), "float32", np.random.SeedSequence(i))[0, 0] for i in range(2000)
    ]
    assert stats.kstest(corners, stats.uniform(-1, 2).cdf).pvalue > 1e-4  # Archimedes: a coordinate on the sphere


@pytest.mark.parametrize(
    "initializer",
    [
        keras.initializers.Zeros(),
        keras.initializers.Ones(),
        keras.initializers.Constant(0.25),
        keras.initializers.Identity(gain=3.0),
    ],
    ids=lambda i: type(i).__name__,
)
def test_constant_initializers_equal_those_of_keras(initializer: Any) -> None:
    drawn = draw(initializer, (4, 4), "float32", np.random.SeedSequence(0))
    np.testing.assert_array_equal(drawn, np.asarray(keras.ops.convert_to_numpy(initializer((4, 4)))))


class Ramp(keras.initializers.Initializer):  # type: ignore[misc]  # keras ships no types
    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        return keras.ops.reshape(keras.ops.arange(int(np.prod(shape)), dtype=dtype), shape)


class HalvedNormal(keras.initializers.RandomNormal):  # type: ignore[misc]  # keras ships no types
    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        return super().__call__(shape, dtype=dtype) / 2


def test_an_initializer_of_ones_own_is_called() -> None:
    drawn = draw(Ramp(), (2, 3), "float32", np.random.SeedSequence(0))
    np.testing.assert_array_equal(drawn, [[0, 1, 2], [3, 4, 5]])


def test_a_subclass_that_draws_otherwise_is_called_and_seeded() -> None:
    one, same = (draw(HalvedNormal(stddev=1.0), (2000,), "float32", np.random.SeedSequence(3)) for _ in range(2))
    other = draw(HalvedNormal(stddev=1.0), (2000,), "float32", np.random.SeedSequence(4))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.std() == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize(
    ("shape", "expected"), [((), (1, 1)), ((7,), (7, 7)), ((3, 5), (3, 5)), ((2, 3, 4, 5), (24, 30))], ids=str
)
def test_fans_are_counted_as_in_keras(shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    assert fans(shape) == expected
