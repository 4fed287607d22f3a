"""Dropout after hidden layers, or between a layer and its activation."""

from typing import ClassVar

import keras

from trials.attachments import Hidden, hidden_layers, is_recurrence, split_activations
from trials.layers import LaneDropout, LaneLayer
from trials.regularizers.base import Found, HiddenLayerTreatment


class DropoutTreatment(HiddenLayerTreatment):
    """Puts dropout after hidden layers, or before their activations.

    After a convolution that is pooled it comes after the pooling, and after a recurrent layer, whose activations are
    inside, after the layer, whatever its placement.
    """

    name: ClassVar[str] = "dropout"
    stream: ClassVar[int] = 0
    kind: ClassVar[type[LaneLayer]] = LaneDropout

    def found(self, model: keras.Model) -> Found:
        """Hidden layers of the kind that `sites` names."""
        model, after_activation = super().found(model)
        if self.structural("placement", "after_activation") == "after_activation":
            return model, after_activation
        wanted = str(self.structural("sites", "dense"))
        recurrent = {layer.name for layer in model.layers if is_recurrence(layer)}

        def has_inside(hidden: Hidden) -> bool:
            return hidden.pooled == hidden.activated and hidden.name not in recurrent

        model = split_activations(model, [hidden for hidden in hidden_layers(model, wanted) if has_inside(hidden)])
        return model, [
            (hidden.name, hidden.before_activation) if has_inside(hidden) else (hidden.pooled, hidden.pooled)
            for hidden in hidden_layers(model, wanted)
        ]
