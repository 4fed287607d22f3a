"""Multiplication of hidden activations by Gaussian noise."""

from typing import ClassVar

import keras

from trials.layers import LaneGaussianDropout
from trials.regularizers.base import HiddenLayerTreatment


class GaussianDropoutTreatment(HiddenLayerTreatment):
    """Puts it after hidden layers."""

    name: ClassVar[str] = "gaussian_dropout"
    stream: ClassVar[int] = 0x01200000

    def layer(self, number: int, at: str, depth: float) -> keras.layers.Layer:
        """Noise at the lane's rate."""
        del depth
        return LaneGaussianDropout(self.stream + number, "gaussian_dropout.rate", name=f"{at}_gaussian_dropout")
