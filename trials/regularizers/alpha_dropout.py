"""Dropout that keeps mean and variance of SELU activations."""

from typing import ClassVar

import keras

from trials.layers import LaneAlphaDropout
from trials.regularizers.base import HiddenLayerTreatment


class AlphaDropoutTreatment(HiddenLayerTreatment):
    """Puts it after hidden layers."""

    name: ClassVar[str] = "alpha_dropout"
    stream: ClassVar[int] = 0x01400000

    def layer(self, number: int, at: str, depth: float) -> keras.layers.Layer:
        """Alpha dropout at the lane's rate."""
        del depth
        return LaneAlphaDropout(self.stream + number, "alpha_dropout.rate", name=f"{at}_alpha_dropout")
