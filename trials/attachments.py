"""The places of a model that regularizers attach to, and how a model is rewritten there.

A rewritten model shares its layers and weights with the original; use the original no more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import keras

from trials.layers.base import LaneLayer
from trials.layers.site import Site

Make: TypeAlias = Callable[[], keras.layers.Layer]

DENSE = (keras.layers.Dense, keras.layers.EinsumDense)
CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)
POOLINGS = (
    keras.layers.MaxPooling1D,
    keras.layers.MaxPooling2D,
    keras.layers.MaxPooling3D,
    keras.layers.AveragePooling1D,
    keras.layers.AveragePooling2D,
    keras.layers.AveragePooling3D,
)
NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
)
ACTIVATIONS = (
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.ELU,
    keras.layers.PReLU,
)
DISTURBANCES = (
    LaneLayer,
    Site,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.AlphaDropout,
)
"""What may stand between a layer and its activation or pooling without parting them."""
RECURRENT = (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN)
KERNELS = ("kernel", "recurrent_kernel")
NO_KERNELS = ("bias", "gamma", "beta", "alpha")
"""Names of weights that are offsets or scales, whatever their shape."""


@dataclass(frozen=True)
class Hidden:
    """A hidden layer with what belongs to it, as names of layers.

    Attributes:
        name: The layer that has the weights.
        before_activation: The last layer before its activation: the layer itself, or a normalization after it.
        activated: The layer that gives its activation.
        pooled: The pooling right after; `activated` where there is none.
        is_split: Whether its activation is a layer of its own.
    """

    name: str
    before_activation: str
    activated: str
    pooled: str
    is_split: bool


def hidden_layers(model: keras.Model, wanted: str) -> list[Hidden]:
    """The hidden layers of a kind, from input to output; the one that gives the logits is left out.

    Args:
        model: A functional model.
        wanted: `dense` (dense and recurrent layers), `convolution`, or `both`.
    """
    output, following = output_layer(model), _followers(model)
    found = []
    for layer in model.layers:
        is_dense = isinstance(_applied(layer), DENSE) or is_recurrence(layer)
        is_wanted = (is_dense and wanted != "convolution") or (isinstance(layer, CONVOLUTIONS) and wanted != "dense")
        if is_wanted and layer is not output:
            found.append(_hidden(layer, following))
    return found


def is_recurrence(layer: keras.layers.Layer) -> bool:
    """Whether this layer, or the one that it runs both ways, goes from step to step; its activations are inside."""
    inner = layer.forward_layer if isinstance(layer, keras.layers.Bidirectional) else layer
    return isinstance(inner, RECURRENT)


def _applied(layer: keras.layers.Layer) -> keras.layers.Layer:
    """What a layer does at every step, if that is a layer; else itself."""
    return layer.layer if isinstance(layer, keras.layers.TimeDistributed) else layer


def _hidden(layer: keras.layers.Layer, following: Mapping[str, keras.layers.Layer | None]) -> Hidden:
    before = activated = layer.name
    is_split = False
    after = following[layer.name]
    while isinstance(after, NORMALIZATIONS + ACTIVATIONS + DISTURBANCES):
        if not isinstance(after, DISTURBANCES):
            activated = after.name
            is_split = is_split or isinstance(after, ACTIVATIONS)
            before = before if is_split else activated
        after = following[after.name]
    pooled = after.name if isinstance(after, POOLINGS) else activated
    return Hidden(layer.name, before, activated, pooled, is_split)


def _followers(model: keras.Model) -> dict[str, keras.layers.Layer | None]:
    """Each layer's name to the one layer that takes its output; None where several do, or none."""
    givers: dict[int, str] = {}
    takers: dict[str, list[keras.layers.Layer]] = {layer.name: [] for layer in model.layers}
    kept = []

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        for tensor in keras.tree.flatten((args, kwargs)):
            if id(tensor) in givers:
                takers[givers[id(tensor)]].append(layer)
        outputs = layer(*args, **kwargs)
        for tensor in keras.tree.flatten(outputs):
            kept.append(tensor)  # an id is a tensor's own as long as the tensor lives
            givers[id(tensor)] = layer.name
        return outputs

    rewrite(model, call)
    return {name: layers[0] if len(set(map(id, layers))) == 1 else None for name, layers in takers.items()}


def output_layer(model: keras.Model) -> keras.layers.Layer | None:
    """The last layer that has a kernel: the one that gives the logits. None in a model written as a class."""
    return next((layer for layer in reversed(model.layers) if getattr(layer, "kernel", None) is not None), None)


def embeddings(model: keras.Model) -> list[str]:
    """Names of the layers that turn whole numbers into vectors."""
    return [layer.name for layer in model.layers if isinstance(layer, keras.layers.Embedding)]


def sites(model: keras.Model, regularizer: str) -> tuple[str, ...]:
    """Names of the layers by which the model's author has said where a regularizer goes."""
    return tuple(layer.name for layer in model.layers if isinstance(layer, Site) and layer.regularizer == regularizer)


def after_layers(model: keras.Model, new: Mapping[str, Make]) -> keras.Model:
    """The model with a new layer after each named one; a site gives its place to the new layer."""
    made = cache(lambda name: new[name]())

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if layer.name not in new:
            return layer(*args, **kwargs)
        outputs = args[0] if isinstance(layer, Site) else layer(*args, **kwargs)
        return made(layer.name)(outputs)

    return rewrite(model, call)


def after_inputs(model: keras.Model, make: Make) -> keras.Model:
    """The model with a new layer on its input, once, whatever takes that input."""
    former = model.inputs[0]
    inputs = keras.Input(former.shape[1:], dtype=former.dtype, name=former.name)
    treated = make()(inputs)

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = keras.tree.map_structure(lambda leaf: treated if leaf is inputs else leaf, (args, kwargs))
        return layer(*args, **kwargs)

    return keras.models.clone_model(model, input_tensors=inputs, clone_function=lambda layer: layer, call_function=call)


def split_activations(model: keras.Model, layers: list[Hidden]) -> keras.Model:
    """The model with each activation that is inside one of these layers in a layer of its own, `…_activation`.

    A recurrent layer has several inside, and keeps them.
    """
    names = {hidden.name for hidden in layers if not hidden.is_split}
    split: dict[str, keras.layers.Layer] = {}

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        inner = _applied(layer)
        if layer.name not in names or not hasattr(inner, "activation") or is_recurrence(layer):
            return layer(*args, **kwargs)
        if layer.name not in split:
            split[layer.name] = keras.layers.Activation(inner.activation, name=f"{layer.name}_activation")
            inner.activation = keras.activations.linear
        return split[layer.name](layer(*args, **kwargs))

    return rewrite(model, call)


def hidden_kernels(model: keras.Model) -> tuple[int, ...]:
    """Positions of the hidden layers' kernels among the model's trainable variables; biases and output left out.

    Layers inside others count, and so do recurrent kernels.
    """
    output = output_layer(model)
    layers = [layer for layer in model._flatten_layers(include_self=False) if layer is not output]  # noqa: SLF001  # no public equivalent
    hidden = {id(getattr(layer, name, None)) for layer in layers for name in KERNELS}
    return tuple(i for i, variable in enumerate(model.trainable_variables) if id(variable) in hidden)


def all_kernels(model: keras.Model) -> frozenset[int]:
    """Positions of all weights of more than one axis among the model's trainable variables: no biases, no scales.

    Some of these have several axes too: the biases of a GRU and of attention.
    """
    return frozenset(
        i
        for i, variable in enumerate(model.trainable_variables)
        if len(variable.shape) > 1 and variable.name not in NO_KERNELS
    )


def rewrite(model: keras.Model, call: Any) -> keras.Model:
    """The same graph with every layer called through `call(layer, *args, **kwargs)`; layers are shared, not copied."""
    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
