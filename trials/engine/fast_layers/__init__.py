"""Layers in the forms that XLA runs fast on a CPU, one file per kind.

Each shares the weights of the Keras layer that it stands for, and computes the same function.
"""

from collections.abc import Callable
from typing import Any

import keras

from trials.attachments import rewrite
from trials.engine.fast_layers.convolution import fast_convolution
from trials.engine.fast_layers.depthwise import fast_depthwise, fast_separable
from trials.engine.fast_layers.pooling import fast_pooling
from trials.engine.fast_layers.recurrent import fast_recurrent
from trials.layers.recurrent_dropout import LaneRecurrentDropout

FAST_FORMS: dict[type[keras.layers.Layer], Callable[[Any], keras.layers.Layer | None]] = {
    keras.layers.Conv1D: fast_convolution,
    keras.layers.Conv2D: fast_convolution,
    keras.layers.Conv3D: fast_convolution,
    keras.layers.DepthwiseConv1D: fast_depthwise,
    keras.layers.DepthwiseConv2D: fast_depthwise,
    keras.layers.SeparableConv1D: fast_separable,
    keras.layers.SeparableConv2D: fast_separable,
    keras.layers.MaxPooling1D: fast_pooling,
    keras.layers.MaxPooling2D: fast_pooling,
    keras.layers.MaxPooling3D: fast_pooling,
    keras.layers.AveragePooling1D: fast_pooling,
    keras.layers.AveragePooling2D: fast_pooling,
    keras.layers.AveragePooling3D: fast_pooling,
    keras.layers.LSTM: fast_recurrent,
    keras.layers.GRU: fast_recurrent,
    keras.layers.Bidirectional: fast_recurrent,
    LaneRecurrentDropout: fast_recurrent,
}
"""Kind of layer to the function that gives its faster form, or None where that layer has none."""

ALLOWED = {"mask", "training"}
"""Arguments that a call may have beside its one input and still get a faster form."""


def for_cpu(model: keras.Model) -> keras.Model:
    """The model with every layer that has a faster form in that form; weights are shared."""
    forms: dict[str, Any] = {}

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        plain = len(args) == 1 and kwargs.keys() <= ALLOWED and getattr(layer, "activity_regularizer", None) is None
        form = FAST_FORMS.get(type(layer)) if plain else None
        if form is not None and layer.name not in forms:
            forms[layer.name] = form(layer) or layer
        return forms.get(layer.name, layer)(*args, **kwargs)

    return rewrite(model, call)
