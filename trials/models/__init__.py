"""Building models from their closed descriptions: one builder per file, one explicit table."""

from collections.abc import Callable
from typing import Any

import keras

from search_spaces.models import MAX_PARAMETERS, AnyModel, estimate_parameters
from trials.errors import InfeasibleCohortError
from trials.models.convnet import build_convnet
from trials.models.mlp import build_mlp
from trials.models.recurrent import build_recurrent

__all__ = ["BUILDERS", "build"]

BUILDERS: dict[str, Callable[[Any, tuple[int, ...], int], keras.Model]] = {
    "mlp": build_mlp,
    "convnet": build_convnet,
    "recurrent": build_recurrent,
}
"""Each takes its own description, the shape of one example and the width of the last layer."""


def build(spec: AnyModel, input_shape: tuple[int, ...], n_classes: int) -> keras.Model:
    """Builds a functional model with Keras' default initializers.

    The last layer, `logits`, has no activation; it is one wide for two classes, else as wide as there are classes.

    Raises:
        InfeasibleCohortError: The model does not suit such examples, or is too large; nothing was built.
    """
    n_outputs = 1 if n_classes == 2 else n_classes
    n_parameters = estimate_parameters(spec, input_shape, n_outputs)
    if n_parameters > MAX_PARAMETERS:
        raise InfeasibleCohortError(f"model: expected at most {MAX_PARAMETERS:,} parameters; received {n_parameters:,}")
    return BUILDERS[spec.family](spec, input_shape, n_outputs)
