"""Dropout inside recurrent layers."""

from typing import Any, ClassVar

import keras

from trials.attachments import rewrite
from trials.errors import InfeasibleCohortError
from trials.layers.recurrent_dropout import LaneRecurrentDropout, is_recurrent
from trials.regularizers.base import Treatment

STREAM = 0x04000000
STREAMS_PER_LAYER = 4


class RecurrentDropoutTreatment(Treatment):
    """Puts dropout on inputs and state of every LSTM and GRU, and of Bidirectional ones."""

    name: ClassVar[str] = "recurrent_dropout"

    def place(self, model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
        """Inside every recurrent layer."""
        names = tuple(layer.name for layer in model.layers if is_recurrent(layer))
        if not names:
            raise InfeasibleCohortError("recurrent_dropout: expected LSTM or GRU layers; the model has none")
        wrapped = {
            name: LaneRecurrentDropout(model.get_layer(name), STREAM + STREAMS_PER_LAYER * number)
            for number, name in enumerate(names)
        }

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            return wrapped.get(layer.name, layer)(*args, **kwargs)

        return rewrite(model, call), names
