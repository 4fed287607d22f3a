"""Batch normalization of hidden layers."""

from typing import ClassVar

import keras

from trials.attachments import hidden_layers, is_recurrence, split_activations
from trials.regularizers.base import Found, LayerTreatment


class BatchNormTreatment(LayerTreatment):
    """Puts it after dense layers and convolutions, or between them and their activations; not after recurrent ones."""

    name: ClassVar[str] = "batch_norm"
    stream: ClassVar[int] = 0

    def layer(self, number: int, at: str, depth: float) -> keras.layers.Layer:
        """Keras' own layer."""
        del number, depth
        momentum = float(self.structural("momentum", 0.99))
        return keras.layers.BatchNormalization(momentum=momentum, name=f"{at}_batch_norm")

    def found(self, model: keras.Model) -> Found:
        """Hidden dense layers and convolutions."""
        recurrent = {layer.name for layer in model.layers if is_recurrence(layer)}
        layers = [hidden for hidden in hidden_layers(model, "both") if hidden.name not in recurrent]
        if not layers:
            raise self.nowhere("hidden dense layers or convolutions")
        if self.structural("placement", "none") == "after_activation":
            return model, [(hidden.name, hidden.activated) for hidden in layers]
        model = split_activations(model, layers)
        return model, [(hidden.name, hidden.name) for hidden in layers]

    def place(self, model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
        """Where `placement` says; nowhere, if that is `none`."""
        return (model, ()) if self.structural("placement", "none") == "none" else super().place(model)
