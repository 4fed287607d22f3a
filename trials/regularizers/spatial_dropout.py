"""Dropout of whole feature maps."""

from typing import ClassVar

import keras

from trials.attachments import embeddings, hidden_layers
from trials.layers import LaneDropout, LaneLayer
from trials.regularizers.base import Found, LayerTreatment


class LaneSpatialDropout(LaneDropout):
    """`LaneDropout` with one draw for each example and channel, over inputs `(batch, ..., channels)` of any rank."""

    def draws_shape(self, inputs: keras.KerasTensor) -> tuple[int, ...]:
        """Shape of the draws: `(batch, 1, ..., channels)`."""
        shape = tuple(keras.ops.shape(inputs))
        return (shape[0], *[1] * (len(shape) - 2), shape[-1])


class SpatialDropoutTreatment(LayerTreatment):
    """Puts it after each convolution's activation, before its pooling, and after each embedding."""

    name: ClassVar[str] = "spatial_dropout"
    stream: ClassVar[int] = 0x01100000
    kind: ClassVar[type[LaneLayer]] = LaneSpatialDropout

    def found(self, model: keras.Model) -> Found:
        """Convolutions and embeddings."""
        places = [(name, name) for name in embeddings(model)]
        places += [(hidden.name, hidden.activated) for hidden in hidden_layers(model, "convolution")]
        if not places:
            raise self.nowhere("convolutions or an embedding")
        return model, places
