"""Multiplication of hidden activations by Gaussian noise."""

from typing import ClassVar

from trials.layers import LaneGaussianDropout, LaneLayer
from trials.regularizers.base import HiddenLayerTreatment


class GaussianDropoutTreatment(HiddenLayerTreatment):
    """Puts it after hidden layers."""

    name: ClassVar[str] = "gaussian_dropout"
    stream: ClassVar[int] = 0x01200000
    kind: ClassVar[type[LaneLayer]] = LaneGaussianDropout
