"""Poolings of random shapes, strides and paddings against Keras' layers."""

from typing import Any

import keras
import numpy as np
import pytest

from tests.trials.engine.fast_layers.against_keras import Case, check
from trials.engine.fast_layers import for_cpu

layers = keras.layers


def random_cases(kind: Any, rank: int, n_cases: int) -> list[Case]:
    rng = np.random.default_rng(rank)
    cases = []
    for _ in range(n_cases):
        size = tuple(int(n) for n in rng.integers(1, 4, rank))
        strides = None if rng.integers(2) else tuple(int(rng.integers(1, n + 1)) for n in size)
        padding = str(rng.choice(["valid", "same"]))
        spatial = tuple(int(n) for n in rng.integers(5, 9, rank))
        cases.append((kind(size, strides=strides, padding=padding), (*spatial, int(rng.integers(1, 4)))))
    return cases


@pytest.mark.parametrize(
    ("kind", "rank"),
    [
        (layers.MaxPooling1D, 1),
        (layers.MaxPooling2D, 2),
        (layers.MaxPooling3D, 3),
        (layers.AveragePooling1D, 1),
        (layers.AveragePooling2D, 2),
        (layers.AveragePooling3D, 3),
    ],
)
def test_poolings_equal_keras_forward_and_backward(kind: Any, rank: int) -> None:
    check(random_cases(kind, rank, 3))


def test_poolings_whose_windows_leave_gaps_equal_keras() -> None:
    check([(kind(2, strides=3), (9, 8, 2)) for kind in (layers.MaxPooling2D, layers.AveragePooling2D)])


def test_of_equal_maxima_the_first_gets_the_gradient_as_in_keras() -> None:
    check(random_cases(layers.MaxPooling2D, 2, 3) + random_cases(layers.MaxPooling1D, 1, 2), round_to=1.0)


def test_poolings_with_channels_first_or_huge_windows_are_left_to_keras() -> None:
    for layer, shape in [
        (layers.MaxPooling2D(2, data_format="channels_first"), (1, 9, 9)),
        (layers.AveragePooling2D(9), (9, 9, 1)),
    ]:
        inputs = keras.Input(shape)
        assert type(for_cpu(keras.Model(inputs, layer(inputs))).layers[1]) is type(layer)
