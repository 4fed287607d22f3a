"""Convolutions of random shapes, strides, dilations and paddings against Keras' layers."""

from typing import Any

import keras
import numpy as np
import pytest

from tests.trials.engine.fast_layers.against_keras import Case, check
from trials.engine.fast_layers import correlation, for_cpu

layers = keras.layers


def random_cases(kind: Any, rank: int, n_cases: int) -> list[Case]:
    """Layers of random geometry; they have either strides or dilation, as Keras asks for."""
    rng = np.random.default_rng(rank)
    depthwise, separable = "Depthwise" in kind.__name__, "Separable" in kind.__name__
    equal_strides = rank == 2 and (depthwise or separable)  # TensorFlow asks for it
    cases = []
    for number in range(n_cases):
        several = [int(n) for n in rng.integers(2, 4, rank)]
        several = several[:1] * rank if equal_strides else several
        options: dict[str, Any] = {
            "kernel_size": tuple(int(n) for n in rng.integers(1, 4, rank)),
            "strides": tuple(several) if number % 3 == 1 else 1,
            "dilation_rate": tuple(several) if number % 3 == 2 else 1,
            "padding": str(rng.choice(["valid", "same", *(["causal"] if kind is layers.Conv1D else [])])),
            "use_bias": bool(rng.integers(2)),
            "activation": str(rng.choice(["linear", "tanh"])),
        }
        if not depthwise:
            options["filters"] = int(rng.integers(1, 5))
        if depthwise or separable:
            options["depth_multiplier"] = int(rng.integers(1, 3))
        spatial = tuple(int(n) for n in rng.integers(7, 11, rank))
        cases.append((kind(**options), (*spatial, int(rng.integers(1, 5)))))
    return cases


@pytest.mark.parametrize(
    ("kind", "rank", "n_cases"),
    [
        (layers.Conv1D, 1, 4),
        (layers.Conv2D, 2, 6),
        (layers.Conv3D, 3, 3),
        (layers.SeparableConv1D, 1, 3),
        (layers.DepthwiseConv1D, 1, 3),
    ],
)
def test_convolutions_equal_keras_forward_and_backward(kind: Any, rank: int, n_cases: int) -> None:
    check(random_cases(kind, rank, n_cases))


@pytest.mark.parametrize("kind", [layers.SeparableConv2D, layers.DepthwiseConv2D])
def test_separable_convolutions_equal_keras_forward_and_backward(kind: Any) -> None:
    check(random_cases(kind, 2, 3))


def test_grouped_convolutions_equal_keras() -> None:
    check(
        [
            (layers.Conv2D(6, 3, groups=3, padding="same"), (6, 7, 3)),
            (layers.Conv2D(4, (2, 3), groups=2, strides=2), (6, 7, 6)),
            (layers.Conv1D(4, 3, groups=2, padding="causal"), (9, 4)),
        ]
    )


def test_fast_forms_equal_keras_in_a_compiled_program() -> None:
    check(
        [
            (layers.Conv2D(4, 3, padding="same", activation="relu"), (6, 7, 3)),
            (layers.Conv2D(4, 3), (6, 7, 1)),
            (layers.Conv1D(4, 3, strides=2, padding="causal"), (9, 2)),
            (layers.DepthwiseConv2D(3, strides=2, padding="same"), (6, 7, 3)),
            (layers.MaxPooling2D(2), (6, 7, 3)),
            (layers.AveragePooling2D(3, strides=2, padding="same"), (6, 7, 3)),
        ],
        compiled=True,
    )


def test_kernel_gradient_summed_over_blocks_of_images_equals_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlation, "BLOCK_BYTES", 2 * 4 * 7 * 7 * 9 * 3)  # two images
    check([(layers.Conv2D(4, 3, padding="same"), (7, 7, 3))], n_examples=6)
    check([(layers.Conv2D(4, 3, padding="same"), (7, 7, 3))], n_examples=5)


def test_convolutions_with_channels_first_or_many_groups_are_left_to_keras() -> None:
    for layer, shape in [
        (layers.Conv2D(2, 3, data_format="channels_first"), (1, 9, 9)),
        (layers.Conv2D(16, 3, groups=16), (9, 9, 16)),
        (layers.DepthwiseConv2D(3, data_format="channels_first"), (1, 9, 9)),
    ]:
        inputs = keras.Input(shape)
        assert type(for_cpu(keras.Model(inputs, layer(inputs))).layers[1]) is type(layer)


def test_images_of_unknown_size_are_convolved_as_by_keras() -> None:
    inputs = keras.Input((None, None, 2))
    outputs = layers.Conv2D(3, 3, strides=2, padding="same")(layers.Conv2D(3, 3, padding="same")(inputs))
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(outputs)))
    x = np.random.default_rng(0).normal(size=(2, 9, 11, 2)).astype(np.float32)
    np.testing.assert_allclose(for_cpu(model)(x), model(x), atol=1e-5)


def test_a_layer_called_twice_stays_one_layer() -> None:
    inputs = keras.Input((6, 6, 2))
    shared = layers.Conv2D(2, 3, padding="same")
    model = keras.Model(inputs, shared(shared(inputs)))
    fast = for_cpu(model)
    assert len(fast.trainable_variables) == 2
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 2)).astype(np.float32)
    np.testing.assert_allclose(fast(x), model(x), atol=1e-5)
