"""Initial weights of one lane: a pure function of the model and the lane's seed."""

import hashlib
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def initial_weights(model: keras.Model, seed: int) -> list[npt.NDArray[Any]]:
    """Draws the model's weights anew with the layers' own initializers, seeded.

    Args:
        model: A built model.
        seed: The lane's seed; each variable gets a seed of its own from it and the variable's path.

    Returns:
        One array per `model.variables`, in that order. A variable without a known initializer keeps its built value.
    """
    drawn: dict[int, npt.NDArray[Any]] = {}
    for layer in _all_layers(model):
        for variable in layer._trainable_variables + layer._non_trainable_variables:  # noqa: SLF001  # own, not children's
            initializer = getattr(layer, f"{variable.name}_initializer", None)
            if initializer is None:
                continue
            if hasattr(initializer, "seed"):
                initializer.seed = _variable_seed(seed, variable.path)
            drawn[id(variable)] = keras.ops.convert_to_numpy(initializer(variable.shape, dtype=variable.dtype))
    return [drawn.get(id(v), np.asarray(keras.ops.convert_to_numpy(v.value))) for v in model.variables]


def _all_layers(model: keras.Model) -> list[keras.layers.Layer]:
    layers: list[keras.layers.Layer] = model._flatten_layers(include_self=False)  # noqa: SLF001  # no public equivalent
    return layers


def _variable_seed(seed: int, path: str) -> int:
    digest = hashlib.sha256(f"{seed}:{path}".encode()).digest()
    return int.from_bytes(digest[:4], "little") & 0x7FFFFFFF
