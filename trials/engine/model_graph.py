"""Any Keras model as one flat functional graph, which regularizers and fast forms can be put into."""

from typing import Any

import keras

from trials.attachments import rewrite
from trials.errors import InfeasibleCohortError

OVERRIDES = ("train_step", "compute_loss")
"""Methods of a model that would train it in a way of its own."""


def flat_graph(model: keras.Model, input_shape: tuple[int, ...]) -> keras.Model:
    """A functional model of the same layers and weights, with the layers of nested models in its own graph.

    A model that was written as a class stays one layer of the result. So does a nested model with a layer whose name
    another layer has too.

    Args:
        model: A model of one input and one output.
        input_shape: Shape of one example.

    Raises:
        InfeasibleCohortError: It has several inputs or outputs, or a training step of its own.
    """
    own = [name for name in OVERRIDES if getattr(type(model), name) is not getattr(keras.Model, name)]
    if own:
        raise InfeasibleCohortError(f"model: expected Keras' own training step; received a model with its own {own[0]}")
    graph = _functional(model, input_shape)
    nestable = (keras.Sequential, type(graph))

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        return layer.call(*args, **kwargs) if type(layer) in nestable else layer(*args, **kwargs)

    while any(type(layer) in nestable for layer in graph.layers):
        try:
            graph = rewrite(graph, call)
        except ValueError:  # two layers of one name
            return graph
    return graph


def _functional(model: keras.Model, input_shape: tuple[int, ...]) -> keras.Model:
    if isinstance(model, keras.Sequential) and not model.built:
        model.build((None, *input_shape))
    if not hasattr(model, "inputs"):  # written as a class
        inputs = keras.Input(input_shape)
        return keras.Model(inputs, model(inputs))
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        received = f"{len(model.inputs)} inputs and {len(model.outputs)} outputs"
        raise InfeasibleCohortError(f"model: expected one input and one output; received {received}")
    return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
