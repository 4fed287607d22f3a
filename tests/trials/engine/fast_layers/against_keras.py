"""Fast forms against the Keras layers that they stand for: forward, and all gradients."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from trials.engine.backends import current_backend
from trials.engine.fast_layers import for_cpu

Case = tuple[keras.layers.Layer, tuple[int, ...]]
"""A layer, and the shape of one of its examples."""


def check(
    cases: Sequence[Case], *, round_to: float | None = None, n_examples: int = 3, compiled: bool | None = None
) -> None:
    """Compares outputs and gradients with respect to input and weights.

    Args:
        cases: What to compare.
        compiled: Whether all is one compiled program; by default only on JAX, which compiles each operation otherwise.
        round_to: Inputs are multiples of it, so that many are equal; None for all different.
        n_examples: Size of the batch.
    """
    rng = np.random.default_rng(0)
    functions, arguments = [], []
    for layer, shape in cases:
        inputs = keras.Input(shape)
        stock = keras.Model(inputs, layer(inputs))
        fast = for_cpu(stock)
        assert type(fast.layers[1]) is not type(layer), layer.get_config()
        x = rng.normal(size=(n_examples, *shape))
        x = x if round_to is None else np.round(x / round_to) * round_to
        weights = [rng.normal(size=weight.shape) for weight in stock.trainable_variables]
        dy = rng.normal(size=(n_examples, *stock.output.shape[1:]))
        functions.append((stock, fast))
        arguments.append([np.asarray(array, np.float32) for array in (dy, x, *weights)])
    for (layer, _), results in zip(cases, _results(functions, arguments, compiled), strict=True):
        for theirs, ours in zip(*results, strict=True):
            scale = max(1.0, float(np.abs(theirs).max()))
            np.testing.assert_allclose(ours / scale, theirs / scale, atol=5e-6, err_msg=str(layer.get_config()))


def _results(functions: list[Any], arguments: list[Any], compiled: bool | None) -> list[Any]:
    def all_results(arguments: list[Any]) -> list[Any]:
        return [
            [_outputs_and_gradients(model, *given) for model in models]
            for models, given in zip(functions, arguments, strict=True)
        ]

    compiled = current_backend().name == "jax" if compiled is None else compiled
    function = current_backend().compile_program(all_results) if compiled else all_results
    return [
        [[ops.convert_to_numpy(array) for array in arrays] for arrays in pair]
        for pair in function([[ops.convert_to_tensor(array) for array in given] for given in arguments])
    ]


def _outputs_and_gradients(model: keras.Model, dy: Any, *inputs: Any) -> list[Any]:
    def loss(given: list[Any]) -> tuple[Any, Any]:
        y, _ = model.stateless_call(given[1:], [], given[0])
        return ops.sum(y * dy), y

    (_, y), gradients = current_backend().value_and_gradients(loss, list(inputs))
    return [y, *gradients]
