"""Regularizers put into a finished Keras model by rewriting it: one function per attachment point.

The rewritten model shares its layers and weights with the original; use the original no more.
"""

from dataclasses import dataclass
from typing import Any

import keras

from search_spaces.values import Point
from trials.errors import InfeasibleCohortError
from trials.layers import LaneDropout
from trials.layers.recurrent_dropout import LaneRecurrentDropout, is_recurrent

DENSE = (keras.layers.Dense,)
CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
POOLINGS = (
    keras.layers.MaxPooling1D,
    keras.layers.MaxPooling2D,
    keras.layers.MaxPooling3D,
    keras.layers.AveragePooling1D,
    keras.layers.AveragePooling2D,
    keras.layers.AveragePooling3D,
)
KERNELS = ("kernel", "recurrent_kernel")

RECURRENT_STREAM = 0x04000000
"""Stream of the first layer with recurrent dropout; those of dropout between layers count from 0."""
STREAMS_PER_LAYER = 4


@dataclass(frozen=True)
class Graft:
    """A model with regularizers in place.

    Attributes:
        model: The rewritten model; takes and gives what the original did.
        dropout_sites: Names of the layers after which dropout sits, for people.
        recurrent_sites: Names of the layers inside which recurrent dropout acts, for people.
    """

    model: keras.Model
    dropout_sites: tuple[str, ...] = ()
    recurrent_sites: tuple[str, ...] = ()


def graft(model: keras.Model, grafts: tuple[str, ...], structure: Point) -> Graft:
    """Puts the named regularizers into a functional model.

    Args:
        model: A built functional model of one input and one output, whose last weighted layer gives the logits.
        grafts: Names from `search_spaces.regularizers.REGULARIZERS`.
        structure: Structural knobs, `dropout.placement` and `dropout.sites`.

    Raises:
        InfeasibleCohortError: A regularizer finds no place in this model.
    """
    sites: tuple[str, ...] = ()
    if "dropout" in grafts:
        wanted = str(structure.get("dropout.sites", "dense"))
        sites = dropout_sites(model, wanted)
        if not sites:
            msg = f"dropout.sites: expected layers of kind '{wanted}' before the logits, the model has none"
            raise InfeasibleCohortError(msg)
        model = between_layers(model, sites, before=structure.get("dropout.placement") == "before_activation")
    recurrent: tuple[str, ...] = ()
    if "recurrent_dropout" in grafts:
        recurrent = recurrent_sites(model)
        if not recurrent:
            msg = "recurrent_dropout: expected LSTM or GRU layers; the model has none"
            raise InfeasibleCohortError(msg)
        model = inside_layers(model, recurrent)
    return Graft(model, sites, recurrent)


def output_layer(model: keras.Model) -> keras.layers.Layer | None:
    """The last layer that has a kernel: the one that gives the logits. None in a model written as a class."""
    return next((layer for layer in reversed(model.layers) if getattr(layer, "kernel", None) is not None), None)


def dropout_sites(model: keras.Model, wanted: str) -> tuple[str, ...]:
    """Names of the layers whose output dropout acts on.

    Args:
        model: The model.
        wanted: `dense` (hidden dense and recurrent layers), `convolution` (the pooling after a convolution, or the
            convolution itself where none follows), or `both`.
    """
    output = output_layer(model)
    layers = [layer for layer in model.layers if layer is not output]
    names: list[str] = []
    for layer, following in zip(layers, [*layers[1:], None], strict=True):
        if wanted != "convolution" and (isinstance(layer, DENSE) or is_recurrent(layer)):
            names.append(layer.name)
        if wanted != "dense" and isinstance(layer, CONVOLUTIONS):
            names.append(following.name if isinstance(following, POOLINGS) else layer.name)
    return tuple(names)


def between_layers(model: keras.Model, sites: tuple[str, ...], *, before: bool) -> keras.Model:
    """The model with dropout after the named layers, or between each layer and its activation.

    A pooling has no activation and a recurrent layer several inside: dropout comes after them either way. With
    `before`, the activation of each other named layer moves out of the layer into one of its own.
    """

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if layer.name not in sites:
            return layer(*args, **kwargs)
        dropout = LaneDropout(stream=sites.index(layer.name), name=f"{layer.name}_dropout")
        if not before or not hasattr(layer, "activation") or is_recurrent(layer):
            return dropout(layer(*args, **kwargs))
        split = keras.layers.Activation(layer.activation, name=f"{layer.name}_activation")
        layer.activation = keras.activations.linear
        return split(dropout(layer(*args, **kwargs)))

    return rewrite(model, call)


def penalised_kernels(model: keras.Model) -> tuple[int, ...]:
    """Positions of the hidden layers' kernels among the model's trainable variables; biases and output left out.

    Layers inside others count, and so do recurrent kernels.
    """
    output = output_layer(model)
    layers = [layer for layer in model._flatten_layers(include_self=False) if layer is not output]  # noqa: SLF001  # no public equivalent
    hidden = {id(getattr(layer, name, None)) for layer in layers for name in KERNELS}
    return tuple(i for i, variable in enumerate(model.trainable_variables) if id(variable) in hidden)


def recurrent_sites(model: keras.Model) -> tuple[str, ...]:
    """Names of the layers inside which recurrent dropout acts: LSTM, GRU, and Bidirectional of them."""
    return tuple(layer.name for layer in model.layers if is_recurrent(layer))


def inside_layers(model: keras.Model, sites: tuple[str, ...]) -> keras.Model:
    """The model with dropout on inputs and state of the named recurrent layers."""

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if layer.name not in sites:
            return layer(*args, **kwargs)
        stream = RECURRENT_STREAM + STREAMS_PER_LAYER * sites.index(layer.name)
        return LaneRecurrentDropout(layer, stream)(*args, **kwargs)

    return rewrite(model, call)


def rewrite(model: keras.Model, call: Any) -> keras.Model:
    """The same graph with every layer called through `call(layer, *args, **kwargs)`; layers are shared, not copied."""
    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
