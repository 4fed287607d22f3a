"""Decoupled weight decay."""

from typing import Annotated, ClassVar

from search_spaces.ranges import Knob, Range
from search_spaces.regularizers.base import RegularizerSpec


class WeightDecay(RegularizerSpec):
    """Multiplies every kernel by 1 - learning rate x `factor` before each of the optimizer's steps.

    Unlike L2, the factor is not divided by an adaptive optimizer's scale. It acts on all weights of two or more axes,
    those of the output included, and on no biases or scales: Keras' `AdamW(weight_decay=factor)` with these
    excluded. Losses do not contain it. Inference is untouched.

    References:
        Loshchilov and Hutter, 2019, Decoupled weight decay regularization, arXiv:1711.05101.
    """

    name: ClassVar[str] = "weight_decay"
    summary: ClassVar[str] = "shrinks weights a little at every step, apart from the gradient"

    factor: Annotated[Range, Knob(kind="float", minimum=0.0, maximum=10.0, off=0.0)]
