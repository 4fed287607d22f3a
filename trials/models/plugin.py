"""Models of builders that the administrator installed."""

from typing import Any

import keras

from search_spaces.models import MAX_PARAMETERS
from search_spaces.models.plugin import ENTRY_POINT_GROUP, Plugin, installed_builders
from trials.engine.model_graph import flat_graph
from trials.errors import InfeasibleCohortError

BUILD_SEED = 0
"""Weights whose initializer a layer does not keep are drawn while it is built, and shuffled for every lane."""


def build_plugin(spec: Plugin, input_shape: tuple[int, ...], n_outputs: int) -> keras.Model:
    """Calls the builder, and checks what it gives.

    Args:
        spec: The builder's name and options.
        input_shape: Shape of one example.
        n_outputs: Width of the last layer.

    Raises:
        InfeasibleCohortError: There is no such builder, it fails, or its model is not one of logits for these classes.
    """
    keras.utils.set_random_seed(BUILD_SEED)
    try:
        model = _builder(spec.name)(input_shape, max(n_outputs, 2), **spec.options)
    except InfeasibleCohortError:
        raise
    except Exception as error:  # somebody else's code: whatever it raises, this model cannot be had
        msg = f"model.name: expected a builder that builds for {input_shape}; {spec.name} raised {error!r}"
        raise InfeasibleCohortError(msg) from error
    if not isinstance(model, keras.Model):
        raise InfeasibleCohortError(f"model.name: expected a builder of Keras models; {spec.name} gave {type(model)}")
    graph = flat_graph(model, input_shape)
    _check(graph, spec.name, input_shape, n_outputs)
    return graph


def _builder(name: str) -> Any:
    builders = installed_builders()
    if name not in builders:
        installed = ", ".join(builders) or f"none is installed as entry point of {ENTRY_POINT_GROUP}"
        raise InfeasibleCohortError(f"model.name: expected an installed builder ({installed}); received {name}")
    return builders[name].load()


def _check(graph: keras.Model, name: str, input_shape: tuple[int, ...], n_outputs: int) -> None:
    shapes = tuple(graph.inputs[0].shape[1:]), tuple(graph.outputs[0].shape[1:])
    if shapes != (input_shape, (n_outputs,)):
        expected = f"a model from {input_shape} to {(n_outputs,)}"
        raise InfeasibleCohortError(f"model.name: expected {expected}; {name} gave one from {shapes[0]} to {shapes[1]}")
    last = graph.outputs[0]._keras_history.operation  # noqa: SLF001  # no public way to the layer that gave a tensor
    activation = getattr(last, "activation", keras.activations.linear)
    if isinstance(last, keras.layers.Softmax) or activation not in (keras.activations.linear, None):
        raise InfeasibleCohortError(f"model.name: expected logits; {name} ends with an activation in {last.name}")
    if graph.count_params() > MAX_PARAMETERS:
        received = f"{graph.count_params():,}"
        raise InfeasibleCohortError(f"model: expected at most {MAX_PARAMETERS:,} parameters; {name} gave {received}")
