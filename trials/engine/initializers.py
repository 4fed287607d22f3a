"""Keras' standard initializers drawn with NumPy, so that every backend starts from the same numbers."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

UNIT_TRUNCATED_DEVIATION = 0.87962566103423978
"""Standard deviation of a standard normal cut at ±2."""


def draw(initializer: Any, shape: Shape, dtype: str, seeds: np.random.SeedSequence) -> Array:
    """What the initializer gives for a weight of this shape, as a pure function of the seed.

    The distribution is Keras', the numbers are not: TensorFlow and JAX draw different ones from one seed. An
    initializer that is not one of Keras' own is seeded, if it has a seed, and called.

    Args:
        initializer: A Keras initializer, or any callable of `(shape, dtype=…)`.
        shape: The weight's shape.
        dtype: The weight's dtype.
        seeds: Where the numbers come from.
    """
    for kind, function in _DRAWS.items():
        if type(initializer).__call__ is kind.__call__:
            return function(initializer, shape, np.random.default_rng(seeds)).astype(dtype)
    if hasattr(initializer, "seed"):
        initializer.seed = int(seeds.generate_state(1)[0]) & 0x7FFFFFFF
    values: Array = np.asarray(keras.ops.convert_to_numpy(initializer(shape, dtype=dtype)))
    return values


def fans(shape: Shape, input_axes: Any = None, output_axes: Any = None) -> tuple[int, int]:
    """Numbers of inputs and outputs that a weight connects, counted as Keras counts."""
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[i] for i in input_axes), math.prod(shape[i] for i in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    return math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1]


def _uniform(low: float, high: float, shape: Shape, generator: np.random.Generator) -> Array:
    return generator.random(shape, np.float32) * np.float32(high - low) + np.float32(low)


def _normal(mean: float, deviation: float, shape: Shape, generator: np.random.Generator) -> Array:
    return generator.standard_normal(shape, np.float32) * np.float32(deviation) + np.float32(mean)


def _truncated_normal(mean: float, deviation: float, shape: Shape, generator: np.random.Generator) -> Array:
    values = generator.standard_normal(math.prod(shape), np.float32)
    outside = np.flatnonzero(np.abs(values) > 2)
    while outside.size:
        values[outside] = generator.standard_normal(outside.size, np.float32)
        outside = outside[np.abs(values[outside]) > 2]
    return values.reshape(shape) * np.float32(deviation) + np.float32(mean)


def _variance_scaling(initializer: Any, shape: Shape, generator: np.random.Generator) -> Array:
    fan_in, fan_out = fans(shape, initializer.input_axes, initializer.output_axes)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[initializer.mode]
    variance = initializer.scale / max(1.0, fan)
    if initializer.distribution == "uniform":
        limit = math.sqrt(3 * variance)
        return _uniform(-limit, limit, shape, generator)
    if initializer.distribution == "truncated_normal":
        return _truncated_normal(0.0, math.sqrt(variance) / UNIT_TRUNCATED_DEVIATION, shape, generator)
    return _normal(0.0, math.sqrt(variance), shape, generator)


def _orthogonal(initializer: Any, shape: Shape, generator: np.random.Generator) -> Array:
    n_rows, n_columns = math.prod(shape[:-1]), shape[-1]
    square = generator.standard_normal((max(n_rows, n_columns), min(n_rows, n_columns)), np.float32)
    q, r = np.linalg.qr(square)
    q = q * np.sign(np.diag(r))  # makes q uniform over the orthogonal matrices
    values: Array = np.float32(initializer.gain) * (q.T if n_rows < n_columns else q).reshape(shape)
    return values


_DRAWS: dict[Any, Callable[[Any, Shape, np.random.Generator], Array]] = {
    keras.initializers.Zeros: lambda _, shape, __: np.zeros(shape, np.float32),
    keras.initializers.Ones: lambda _, shape, __: np.ones(shape, np.float32),
    keras.initializers.Constant: lambda i, shape, _: np.full(shape, i.value),
    keras.initializers.Identity: lambda i, shape, _: np.float32(i.gain) * np.eye(*shape, dtype=np.float32),
    keras.initializers.RandomUniform: lambda i, shape, g: _uniform(i.minval, i.maxval, shape, g),
    keras.initializers.RandomNormal: lambda i, shape, g: _normal(i.mean, i.stddev, shape, g),
    keras.initializers.TruncatedNormal: lambda i, shape, g: _truncated_normal(i.mean, i.stddev, shape, g),
    keras.initializers.VarianceScaling: _variance_scaling,
    keras.initializers.Orthogonal: _orthogonal,
}
