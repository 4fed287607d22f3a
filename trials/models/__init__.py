"""Building models from their closed descriptions: one builder per file, one explicit table."""

from collections.abc import Callable
from typing import Any

import keras
from pydantic_core import PydanticCustomError

from search_spaces.models import AnyModel, check_model
from trials.errors import InfeasibleCohortError
from trials.models.convnet import build_convnet
from trials.models.layers import build_layers
from trials.models.mlp import build_mlp
from trials.models.plugin import build_plugin
from trials.models.recurrent import build_recurrent

__all__ = ["BUILDERS", "build"]

BUILDERS: dict[str, Callable[[Any, tuple[int, ...], int], keras.Model]] = {
    "mlp": build_mlp,
    "convnet": build_convnet,
    "recurrent": build_recurrent,
    "layers": build_layers,
    "plugin": build_plugin,
}
"""Each takes its own description, the shape of one example that it suits, and the width of the last layer."""


def build(spec: AnyModel, input_shape: tuple[int, ...], n_classes: int) -> keras.Model:
    """Builds a model with Keras' initializers.

    The last layer, `logits`, has no activation; it is one wide for two classes, else as wide as there are classes.

    Raises:
        InfeasibleCohortError: The model does not suit such examples, or is too large; nothing was built, unless only
            building could tell.
    """
    n_outputs = 1 if n_classes == 2 else n_classes
    try:
        check_model(spec, input_shape, n_outputs)
    except PydanticCustomError as error:
        raise InfeasibleCohortError(error.message()) from None
    return BUILDERS[spec.family](spec, input_shape, n_outputs)
