"""Softer targets."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class LabelSmoothing(RegularizerSpec):
    """Trains towards (1 - `factor`) x target + `factor` / number of classes.

    It changes the training loss only; validation and test losses are those of the plain labels. It equals
    `label_smoothing` of Keras' crossentropy losses.

    References:
        Szegedy et al., 2016, Rethinking the inception architecture for computer vision, arXiv:1512.00567.
    """

    name: ClassVar[str] = "label_smoothing"
    summary: ClassVar[str] = "moves targets towards equal shares of the classes"

    factor: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.9, off=0.0)]
