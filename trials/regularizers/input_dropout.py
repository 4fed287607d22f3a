"""Dropout on what the model is given."""

from typing import ClassVar

import keras

from trials.attachments import sites
from trials.layers import LaneDropout, LaneLayer
from trials.regularizers.base import LayerTreatment


class InputDropoutTreatment(LayerTreatment):
    """Puts dropout on the examples; after the embeddings, where the examples are whole numbers."""

    name: ClassVar[str] = "input_dropout"
    stream: ClassVar[int] = 0x01000000
    kind: ClassVar[type[LaneLayer]] = LaneDropout

    def place(self, model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
        """At marked sites, else on the model's input."""
        return super().place(model) if sites(model, self.name) else self.at_inputs(model)
