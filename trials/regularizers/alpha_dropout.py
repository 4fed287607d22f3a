"""Dropout that keeps mean and variance of SELU activations."""

from typing import ClassVar

from trials.layers import LaneAlphaDropout, LaneLayer
from trials.regularizers.base import HiddenLayerTreatment


class AlphaDropoutTreatment(HiddenLayerTreatment):
    """Puts it after hidden layers."""

    name: ClassVar[str] = "alpha_dropout"
    stream: ClassVar[int] = 0x01400000
    kind: ClassVar[type[LaneLayer]] = LaneAlphaDropout
