"""Dropout on hidden activations."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Fixed, Knob, Range
from search_spaces.regularizers.base import HIDDEN_SITES, RegularizerSpec


class Dropout(RegularizerSpec):
    """Zeroes each hidden activation with probability `rate` in training and scales the others by 1 / (1 - rate).

    In inference it is the identity. `rate` is the probability of zeroing (the paper's p is that of keeping).
    `placement` puts it after a layer's activation or between the layer and its activation; `sites` says which
    layers: hidden dense and recurrent layers, convolutions (after the pooling that follows them, if any), or both.

    References:
        Srivastava et al., 2014, Dropout: a simple way to prevent neural networks from overfitting, JMLR 15.
    """

    name: ClassVar[str] = "dropout"
    summary: ClassVar[str] = "zeroes hidden activations at random in training"

    rate: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=0.95, off=0.0)]
    placement: Annotated[
        Range,
        Knob(kind="category", words=("after_activation", "before_activation"), role="structural", strength=False),
    ] = Fixed(value="after_activation")
    sites: Annotated[Range, HIDDEN_SITES] = Fixed(value="dense")
