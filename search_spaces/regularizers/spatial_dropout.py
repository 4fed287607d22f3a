"""Dropout of whole feature maps."""

from typing import Annotated, ClassVar

from search_spaces.places import Place
from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class SpatialDropout(RegularizerSpec):
    """Zeroes each channel of a convolution's output as a whole with probability `rate` in training.

    The other channels are scaled by 1 / (1 - rate). It acts after the activation of every convolution, before its
    pooling, and on the vectors of an embedding, in one, two and three dimensions. In inference it is the identity, as
    Keras' `SpatialDropout1D`, `2D` and `3D`.

    References:
        Tompson et al., 2015, Efficient object localization using convolutional networks, arXiv:1411.4280.
    """

    name: ClassVar[str] = "spatial_dropout"
    summary: ClassVar[str] = "zeroes whole feature maps at random in training"
    places: ClassVar[tuple[Place, ...]] = ("convolutions", "an embedding")

    rate: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.95, off=0.0)]
