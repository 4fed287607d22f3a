"""Dropout on what the model is given."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class InputDropout(RegularizerSpec):
    """Zeroes each input value with probability `rate` in training and scales the others by 1 / (1 - rate).

    Every value of every example has a draw of its own: for a sequence that is a new mask at each step, for an image one
    per pixel and channel. Where a model embeds whole numbers it acts on the embedded vectors. In inference it is the
    identity, as Keras' `Dropout` on the visible layer.

    References:
        Srivastava et al., 2014, Dropout: a simple way to prevent neural networks from overfitting, JMLR 15
        (which keeps inputs with probability 0.8: a rate of 0.2).
    """

    name: ClassVar[str] = "input_dropout"
    summary: ClassVar[str] = "zeroes input values at random in training"

    rate: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.95, off=0.0)]
