"""Regularizers put into a finished Keras model by rewriting it: one function per attachment point.

The rewritten model shares its layers and weights with the original; use the original no more.
"""

from dataclasses import dataclass
from typing import Any

import keras

from search_spaces.values import Point
from trials.errors import InfeasibleCohortError
from trials.layers import LaneDropout

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


@dataclass(frozen=True)
class Graft:
    """A model with regularizers in place.

    Attributes:
        model: The rewritten model; takes and gives what the original did.
        dropout_sites: Names of the layers after which dropout sits, for people.
    """

    model: keras.Model
    dropout_sites: tuple[str, ...] = ()


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
    return Graft(model, sites)


def output_layer(model: keras.Model) -> keras.layers.Layer:
    """The last layer that has a kernel: the one that gives the logits."""
    return [layer for layer in model.layers if getattr(layer, "kernel", None) is not None][-1]


def dropout_sites(model: keras.Model, wanted: str) -> tuple[str, ...]:
    """Names of the layers whose output dropout acts on.

    Args:
        model: The model.
        wanted: `dense` (hidden dense layers), `convolution` (the pooling after a convolution, or the convolution
            itself where none follows), or `both`.
    """
    output = output_layer(model)
    layers = [layer for layer in model.layers if layer is not output]
    names: list[str] = []
    for layer, following in zip(layers, [*layers[1:], None], strict=True):
        if wanted != "convolution" and isinstance(layer, DENSE):
            names.append(layer.name)
        if wanted != "dense" and isinstance(layer, CONVOLUTIONS):
            names.append(following.name if isinstance(following, POOLINGS) else layer.name)
    return tuple(names)


def between_layers(model: keras.Model, sites: tuple[str, ...], *, before: bool) -> keras.Model:
    """The model with dropout after the named layers, or between each layer and its activation.

    A pooling has no activation: dropout comes after it either way. With `before`, the activation of each named layer
    moves out of the layer into one of its own.
    """

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if layer.name not in sites:
            return layer(*args, **kwargs)
        dropout = LaneDropout(stream=sites.index(layer.name), name=f"{layer.name}_dropout")
        if not before or not hasattr(layer, "activation"):
            return dropout(layer(*args, **kwargs))
        split = keras.layers.Activation(layer.activation, name=f"{layer.name}_activation")
        layer.activation = keras.activations.linear
        return split(dropout(layer(*args, **kwargs)))

    return rewrite(model, call)


def penalised_kernels(model: keras.Model) -> tuple[int, ...]:
    """Positions of the hidden layers' kernels among the model's trainable variables; biases and output left out."""
    output = output_layer(model)
    hidden = {id(layer.kernel) for layer in model.layers if layer is not output and hasattr(layer, "kernel")}
    return tuple(i for i, variable in enumerate(model.trainable_variables) if id(variable) in hidden)


def rewrite(model: keras.Model, call: Any) -> keras.Model:
    """The same graph with every layer called through `call(layer, *args, **kwargs)`; layers are shared, not copied."""
    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
