"""Dropout on what the model is given."""

from typing import ClassVar

import keras

from trials.attachments import sites
from trials.layers import LaneDropout
from trials.regularizers.base import LayerTreatment


class InputDropoutTreatment(LayerTreatment):
    """Puts dropout on the examples; after the embeddings, where the examples are whole numbers."""

    name: ClassVar[str] = "input_dropout"
    stream: ClassVar[int] = 0x01000000

    def layer(self, number: int, at: str, depth: float) -> keras.layers.Layer:
        """Dropout at the lane's rate."""
        del depth
        return LaneDropout(self.stream + number, "input_dropout.rate", name=f"{at}_input_dropout")

    def place(self, model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
        """At marked sites, else on the model's input."""
        return super().place(model) if sites(model, self.name) else self.at_inputs(model)
