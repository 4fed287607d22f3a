"""Dropout on what the model is given."""

from typing import ClassVar

import keras

from trials.attachments import after_inputs, sites
from trials.layers import LaneDropout
from trials.regularizers.base import Found, LayerTreatment


class InputDropoutTreatment(LayerTreatment):
    """Puts dropout on the examples; after the embeddings, where the examples are whole numbers."""

    name: ClassVar[str] = "input_dropout"
    stream: ClassVar[int] = 0x01000000

    def layer(self, number: int, at: str, depth: float) -> keras.layers.Layer:
        """Dropout at the lane's rate."""
        del depth
        return LaneDropout(self.stream + number, "input_dropout.rate", name=f"{at}_input_dropout")

    def found(self, model: keras.Model) -> Found:
        """The embeddings."""
        return model, [(layer.name, layer.name) for layer in model.layers if isinstance(layer, keras.layers.Embedding)]

    def place(self, model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
        """At marked sites or embeddings, else on the model's input."""
        if sites(model, self.name) or self.found(model)[1]:
            return super().place(model)
        return after_inputs(model, lambda: self.layer(0, "inputs", 1.0)), ("inputs",)
