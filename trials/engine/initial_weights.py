"""Initial weights of one lane: a pure function of the model and the lane's seed, whatever the backend and process."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from trials.engine.initializers import Array, draw

FIRST_STATE = 2**20
"""Place of the first random layer's state; weights are counted from 0."""


def initial_weights(model: keras.Model, seed: int, original: keras.Model | None = None) -> list[Array]:
    """Draws the model's weights anew by the layers' own initializers, seeded.

    Args:
        model: A built model.
        seed: The lane's seed; each weight draws from it and from its own place in the model, not from its name: names
            count up in a process.
        original: The model before regularizers were put in, whose places then count, so that equal seeds give equal
            weights with and without them.

    Returns:
        One array per `model.variables`, in that order. Weights of a layer that is frozen (`trainable=False`), and
        non-trainable ones whose initializer is not known, keep their built value. A trainable weight whose initializer
        is not known (a layer of one's own that keeps no `…_initializer`) gets its built numbers in a new order. The
        states of stock random layers are seeded too.
    """
    places = _places(original or model, model)
    sources = dict(_sources(model))
    return [
        _value(v, sources, np.random.SeedSequence([seed, places[id(v)]]), is_state=places[id(v)] >= FIRST_STATE)
        for v in model.variables
    ]


def _value(variable: Any, sources: dict[int, Any], seeds: np.random.SeedSequence, *, is_state: bool) -> Array:
    if is_state:
        return np.array([seeds.generate_state(1)[0] >> 1, 0]).astype(variable.dtype)
    if id(variable) in sources:
        return draw(sources[id(variable)], tuple(variable.shape), variable.dtype, seeds)
    built: Array = np.asarray(keras.ops.convert_to_numpy(variable.value))
    if variable.trainable:
        return np.random.default_rng(seeds).permutation(built.ravel()).reshape(built.shape)
    return built


def _places(*models: keras.Model) -> dict[int, int]:
    """Numbers the weights, those of the first model first; the states of random layers are numbered apart."""
    states = {id(generator.state) for model in models for generator in _seed_generators(model)}
    variables = list(dict.fromkeys(id(variable) for model in models for variable in model.variables))
    weights = [known for known in variables if known not in states]
    return {
        **{known: place for place, known in enumerate(weights)},
        **{known: FIRST_STATE + place for place, known in enumerate(v for v in variables if v in states)},
    }


def _sources(model: keras.Model) -> Iterator[tuple[int, Any]]:
    """Each weight, by identity, with its initializer, where that is known and the layer is not frozen."""
    for layer in _all_layers(model):
        if not layer.trainable:
            continue
        for variable in layer._trainable_variables + layer._non_trainable_variables:  # noqa: SLF001  # own, not children's
            initializer = _initializer(layer, variable.name)
            if initializer is not None:
                yield id(variable), initializer


def _initializer(layer: keras.layers.Layer, name: str) -> Any:
    if name == "bias" and getattr(layer, "unit_forget_bias", False):
        return _UnitForgetBias(layer.bias_initializer)
    if name == "kernel" and hasattr(layer, "depthwise_initializer"):
        return layer.depthwise_initializer
    first = getattr(layer, f"{name}_initializer", None)
    return first if first is not None else getattr(layer, f"{name.removesuffix('_kernel')}_initializer", None)


class _UnitForgetBias:
    """Bias of an LSTM: ones for the second of its four gates, the forget gate."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.seed = 0

    def __call__(self, shape: tuple[int, ...], dtype: str) -> Array:
        n_units = shape[0] // 4
        values = draw(self.inner, shape, dtype, np.random.SeedSequence(self.seed)).copy()
        values[n_units : 2 * n_units] = 1
        return values


def _all_layers(model: keras.Model) -> list[keras.layers.Layer]:
    layers: list[keras.layers.Layer] = model._flatten_layers()  # noqa: SLF001  # no public equivalent
    return layers


def _seed_generators(model: keras.Model) -> list[Any]:
    return [generator for layer in _all_layers(model) for generator in layer._seed_generators]  # noqa: SLF001  # no public equivalent
